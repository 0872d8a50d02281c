from django.contrib.auth.decorators import login_not_required
from django.urls import path

from speech.uploads import api, views

urlpatterns = [
    path("sessions/upload/", views.uploads, name="upload"),
    # These need a login too: REST framework checks it and answers in JSON.
    path("api/uploads/", login_not_required(api.Uploads.as_view()), name="uploads"),
    path("api/uploads/<uuid:pk>/", login_not_required(api.OneUpload.as_view()), name="one_upload"),
]
