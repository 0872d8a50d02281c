// The API, described by Swagger UI from the site's OpenAPI document.

const container = document.querySelector("#api");

window.SwaggerUIBundle({
  domNode: container,
  url: container.dataset.schema,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
  requestInterceptor(request) {
    const token = document.querySelector('meta[name="csrf-token"]')?.content;
    if (token && new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRFToken"] = token;
    }
    return request;
  },
});
