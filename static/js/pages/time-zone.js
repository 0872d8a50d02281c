// Stores the browser's time zone, in which the server then shows times (accounts/time_zone.py).

const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
if (timeZone) document.cookie = `time_zone=${timeZone}; path=/; max-age=31536000; samesite=lax`
