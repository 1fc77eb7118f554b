#!/usr/bin/env python3
"""Writes functions/<platform>/spec/<version>.json: facts of the vendors' machine-readable documents, by which tests judge.

Usage: tools/specs.py FOLDER, the folder with the documents. What is taken says functions/<platform>/spec/selection.toml: for
each version the document, its origin, and the operations and callbacks (webhooks, outbound requests) that Trunkline uses.
Taken are paths, methods, parameters, status codes, names, types, formats, required members, enumerations, and the
discriminators of unions, for these and for all types that they reach. Descriptions and examples are not.

A keyword that this program does not know fails, so that no fact is lost. shared/judge reads the result.
"""

import hashlib
import json
import pathlib
import sys
import tomllib

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ("title", "origin", "branch", "commit", "licence")
JSON = "application/json"
SCHEMAS = "#/components/schemas/"

# Keywords of a schema that are facts, and those that are none.
PLAIN = ("type", "format", "enum", "required", "nullable")
IGNORED = ("description", "example", "examples", "default", "title", "deprecated")


class Excerpt:
    """The facts of one document."""

    def __init__(self, document, tag):
        self.document, self.tag = document, tag
        self.types, self.is_nullable_used = {}, False

    def schema(self, schema):
        """A schema without what is no fact. Adds the types that it refers to."""
        facts = {}
        for keyword, value in schema.items():
            if keyword in IGNORED or keyword.startswith("x-"):
                continue
            if keyword in PLAIN:
                facts[keyword] = value
            elif keyword == "$ref":
                facts["$ref"] = self.reference(value)
            elif keyword == "properties":
                facts[keyword] = {name: self.schema(value[name]) for name in sorted(value)}
            elif keyword == "items":
                facts[keyword] = self.schema(value)
            elif keyword == "additionalProperties":
                facts[keyword] = self.schema(value) if isinstance(value, dict) else value
            elif keyword == "oneOf":
                facts[keyword] = [self.schema(one) for one in value]
            elif keyword == "discriminator":
                mapping = value["mapping"]
                mapping = {word: self.reference(mapping[word]) for word in sorted(mapping)}
                facts[keyword] = {"propertyName": value["propertyName"], "mapping": mapping}
            else:
                raise SystemExit(f"the keyword {keyword} is unknown: {schema}")
        self.is_nullable_used |= "nullable" in facts
        return self.union(facts)

    @staticmethod
    def union(facts):
        """A union by its discriminator alone, if that names each of its types."""
        if "discriminator" not in facts:
            return facts
        listed = {one["$ref"] for one in facts.pop("oneOf")}
        mapped = set(facts["discriminator"]["mapping"].values())
        if listed != mapped:
            raise SystemExit(f"the discriminator and the union differ: {listed ^ mapped}")
        return facts

    def reference(self, reference):
        """A reference to a type of the excerpt."""
        name = reference.removeprefix(SCHEMAS)
        if name not in self.types:
            self.types[name] = {}
            facts = self.schema(self.document["components"]["schemas"][name])
            if facts.get("properties", {}).get(self.tag, {"enum": [name]}).get("enum") != [name]:
                raise SystemExit(f"{name}: {self.tag} is not the name of the type")
            self.types[name] = facts
        return f"#/$defs/{name}"

    def content(self, message):
        """The schema of a body; None without a body."""
        if message and "$ref" in message:
            message = self.document["components"]["responses"][message["$ref"].rsplit("/", 1)[1]]
        content = (message or {}).get("content")
        if not content:
            return None
        if list(content) != [JSON]:
            raise SystemExit(f"the content {list(content)} is not only {JSON}")
        return self.schema(content[JSON]["schema"])

    def operation(self, operation):
        """The query, the body and the answers of an operation, and the roles that may call it."""
        query, required = {}, []
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                continue
            if parameter["in"] != "query" or parameter.get("style", "form") != "form":
                raise SystemExit(f"the parameter {parameter['name']} is of an unknown kind")
            query[parameter["name"]] = self.schema(parameter["schema"]) | {"explode": parameter["explode"]}
            if parameter.get("required"):
                required.append(parameter["name"])
        answers = operation["responses"]
        facts = {
            "query": dict(sorted(query.items())),
            "required": sorted(required),
            "body": self.content(operation.get("requestBody")),
            "answers": {str(status): self.content(answers[status]) for status in sorted(answers, key=str)},
            "roles": operation.get("x-required-role", []),
        }
        return {name: fact for name, fact in facts.items() if fact not in ({}, [], None)}


def callbacks(document):
    """All callbacks of a document by name."""
    found = {}
    for path in document["paths"].values():
        for operation in path.values():
            for name, by_address in operation.get("callbacks", {}).items():
                (methods,) = by_address.values()
                (found[name],) = methods.values()
    return found


def excerpt(selected, folder):
    """The excerpt of one document."""
    source = (folder / selected["file"]).read_bytes()
    document = yaml.load(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    facts = Excerpt(document, selected["tag"])
    operations = {}
    for name in selected["operations"]:
        method, path = name.split(" ")
        operations[name] = facts.operation(document["paths"][path][method.lower()])
    calls = callbacks(document)
    called = {name: facts.operation(calls[name]) for name in selected["callbacks"]}
    head = {name: selected[name] for name in DOCUMENT}
    head |= {"version": document["info"]["version"], "sha256": hashlib.sha256(source).hexdigest()}
    return {
        "document": dict(sorted(head.items())),
        # A document that marks no member as nullable, and has examples with null, says with null that a member is absent.
        "null_is_absent": not facts.is_nullable_used and b": null" in source,
        "tag": selected["tag"],
        "operations": dict(sorted(operations.items())),
        "callbacks": dict(sorted(called.items())),
        "$defs": dict(sorted(facts.types.items())),
    }


def written(facts):
    """The excerpt as JSON with one line for each operation, callback and type."""
    def line(value):
        return json.dumps(value, separators=(", ", ": "))

    parts = []
    for name, value in facts.items():
        if name in ("operations", "callbacks", "$defs"):
            rows = ",\n".join(f"    {line(key)}: {line(one)}" for key, one in value.items())
            parts.append(f"  {line(name)}: {{\n{rows}\n  }}")
        else:
            parts.append(f"  {line(name)}: {line(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main():
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).is_dir():
        raise SystemExit("usage: tools/specs.py FOLDER (the folder with the vendors' documents)")
    folder = pathlib.Path(sys.argv[1])
    for selection in sorted(ROOT.glob("functions/*/spec/selection.toml")):
        for version, selected in tomllib.loads(selection.read_text()).items():
            target = selection.with_name(f"{version}.json")
            target.write_text(written(excerpt(selected, folder)))
            print(target.relative_to(ROOT))


main()
