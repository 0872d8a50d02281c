"""Load a recording as LangChain's documents: URL TOKEN RECORDING. Prints their text."""

import sys

from langchain_community.document_loaders.parsers.audio import OpenAIWhisperParser
from langchain_core.documents.base import Blob

url, token, recording = sys.argv[1:]
parser = OpenAIWhisperParser(api_key=token, base_url=f"{url}/v1")
print(*(document.page_content for document in parser.lazy_parse(Blob.from_path(recording))))
