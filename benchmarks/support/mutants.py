"""Mutants of a module: its source with one small fault each, by the operators of Cosmic Ray and two of our own."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

OPERATORS = (
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub", "NumberReplacer"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    "ExceptionReplacer",
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Div_Mul")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Mod_Mul", "BitAnd_BitOr", "BitOr_BitAnd")),
)
"""Each comparison and arithmetic operator is replaced by its neighbor or its opposite only."""
TRIVIAL_DECORATORS = ("property", "classmethod", "staticmethod", "dataclass")
UNTESTED_CALLS = ("logger.", "add_event(", "WORDS.", "ACKS.", "REPLAYS.", "AUTH_ERRORS.", "_log_public_token(")
"""Statements that only log, count or trace."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mutant:
    path: Path
    source: str
    """The whole mutated module."""
    line: int
    lines: frozenset[int]
    """The lines of the statement that is mutated, of a compound one its head; a test that runs none cannot kill it."""
    in_function: bool
    text: str
    """The mutation: what stood there, and what does now."""


def mutants_of(path: Path) -> list[Mutant]:
    """All mutants, by line; those with the same code as another one are left out, as are those of texts, type
    annotations, and statements that only log, count or trace."""
    source = path.read_text()
    module = _Module(path, source)
    seen = {_code_without_annotations(source)}
    found: list[Mutant] = []
    for text, mutated in (*_by_cosmic_ray(source), *module.without_parts()):
        try:
            code = _code_without_annotations(mutated)
        except SyntaxError:
            continue
        if code not in seen and (mutant := module.mutant(text, mutated)):
            seen.add(code)
            found.append(mutant)
    return sorted(found, key=lambda mutant: (mutant.line, mutant.text))


def _by_cosmic_ray(source: str) -> Iterator[tuple[str, str]]:
    for name in OPERATORS:
        for occurrence in count():
            try:
                mutated = mutate_code(source, get_operator(f"core/{name}")(), occurrence)
            except AttributeError:
                continue  # Cosmic Ray 8.7 cannot replace an exception with a dotted name
            if mutated is None:
                break
            yield "", mutated


class _Module:
    def __init__(self, path: Path, source: str) -> None:
        self._path, self._source, self._lines = path, source, source.splitlines(keepends=True)
        nodes = list(ast.walk(ast.parse(source)))
        self._statements = [node for node in nodes if isinstance(node, ast.stmt)]
        self._functions = [node for node in nodes if isinstance(node, Function)]
        self._calls = [node for node in nodes if isinstance(node, ast.Call)]
        self._ignored = {line for node in self._statements if self._is_untested(node) for line in _range(node)}

    def mutant(self, text: str, mutated: str) -> Mutant | None:
        new = mutated.splitlines(keepends=True)
        pairs = zip(self._lines, new, strict=False)
        line = next((number for number, (old, now) in enumerate(pairs, 1) if old != now), len(new))
        in_function = any(node.body[0].lineno <= line <= (node.end_lineno or 0) for node in self._functions)
        old = self._lines[line - 1]
        is_trivial = not in_function and (any(map(str.isdigit, old)) or old.lstrip().startswith("@dataclass"))
        if line in self._ignored or is_trivial:
            return None
        text = text or f"{self._lines[line - 1].strip()} -> {new[line - 1].strip()}"
        return Mutant(self._path, mutated, line, self._statement_lines(line), in_function, text)

    def _statement_lines(self, line: int) -> frozenset[int]:
        around = [node for node in self._statements if node.lineno <= line <= (node.end_lineno or 0)]
        if not around:
            return frozenset({line})
        statement = max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0)))
        body = getattr(statement, "body", None)
        end = body[0].lineno - 1 if body else statement.end_lineno or line
        return frozenset({line, *range(statement.lineno, end + 1)})

    def without_parts(self) -> Iterator[tuple[str, str]]:
        """Without one statement, one argument that is named, one decorator, or one limit to the objects of a user."""
        for node in self._statements:
            if _is_removable(node):
                yield f"without: {self._first_line(node)}", self._replace(node, "pass")
        for call in self._calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "of" and call.args:
                objects = ast.get_source_segment(self._source, call.func.value) or ""
                if objects.endswith("objects"):
                    yield f"without: .of() in {self._first_line(call)}", self._replace(call, objects)
            for keyword in call.keywords:
                if keyword.arg:
                    yield f"without: {self._first_line(keyword)}", self._replace(keyword, "**{}")
        for function in self._functions:
            for decorator in function.decorator_list:
                text = self._first_line(decorator)
                if not text.startswith(TRIVIAL_DECORATORS) and not text.endswith(".setter"):
                    yield f"without: @{text}", self._replace(decorator, "(lambda function: function)")

    def _replace(self, node: ast.stmt | ast.keyword | ast.expr, text: str) -> str:
        """Keeps the number of lines."""
        lines = [line.encode() for line in self._lines]
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        after = lines[last][node.end_col_offset :]
        lines[first] = lines[first][: node.col_offset] + text.encode() + b"\\\n" * (last - first) + after
        return b"".join(lines[: first + 1] + lines[last + 1 :]).decode()

    def _first_line(self, node: ast.stmt | ast.keyword | ast.expr) -> str:
        return (ast.get_source_segment(self._source, node) or "").splitlines()[0]

    def _is_untested(self, node: ast.stmt) -> bool:
        segment = ast.get_source_segment(self._source, node) or ""
        return isinstance(node, ast.Expr) and segment.startswith(UNTESTED_CALLS)


def _is_removable(node: ast.stmt) -> bool:
    """Not a variable, whose absence every test shows."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets)
    return isinstance(node, (ast.AugAssign, ast.Raise, ast.Return, ast.Delete))


def _range(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def _function(self, node: Function) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = _function


def _code_without_annotations(source: str) -> str:
    return ast.dump(_WithoutAnnotations().visit(ast.parse(source)))
