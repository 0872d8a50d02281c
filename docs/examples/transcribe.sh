# DSM_TOKEN=… sh transcribe.sh speech.mp3   (subtitles of a whole file, in any format that FFmpeg reads)
curl --fail-with-body --silent --show-error -H "Authorization: Bearer $DSM_TOKEN" \
  -F "file=@$1" -F model=whisper-1 -F response_format=srt "${DSM_URL:-http://127.0.0.1:8000}/v1/audio/transcriptions"
