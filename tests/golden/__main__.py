"""`python -m tests.golden` makes the golden files of new format numbers; files that exist are left as they are."""

import json

from tests.golden.files_of import missing, schema_path, schemas
from tests.golden.formats import folder

if __name__ == "__main__":
    folder.mkdir(exist_ok=True)
    for format_ in missing():
        examples = [
            {"name": name, "hex": format_.encode(document).hex(), "decoded": document}
            for name, document in format_.examples.items()
        ]
        path = folder / f"{format_.name}.{format_.number}.json"
        path.write_text(json.dumps(examples, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(path)
    for name, text in schemas().items():
        if not schema_path(name).exists():
            schema_path(name).write_text(text, encoding="utf-8")
            print(schema_path(name))
