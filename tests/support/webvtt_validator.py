"""Validation of WebVTT files with the W3C's own parser (tests/vendor/webvtt), run by Node.js."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.support.environment import ROOT
from tests.support.servers import programs

PARSER = ROOT / "tests/vendor/webvtt/parser.js"
PARSE = """
const { WebVTTParser } = require(process.argv[1])
const input = require("fs").readFileSync(0, "utf8")
const entities = { "&amp;": "&", "&lt;": "<", "&gt;": ">" }
const { cues, errors } = new WebVTTParser(entities).parse(input, "subtitles/captions/descriptions")
const plain = (key, value) => (key === "parent" ? undefined : value)
console.log(JSON.stringify({ cues, errors }, plain))
"""


@dataclass(frozen=True)
class Parsed:
    cues: list[dict[str, Any]]
    errors: list[dict[str, Any]]


def parse(file: bytes) -> Parsed:
    done = subprocess.run([programs.node(), "-e", PARSE, str(PARSER)], input=file, capture_output=True, check=True)
    return Parsed(**json.loads(done.stdout))
