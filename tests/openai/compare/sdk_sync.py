"""What people write today: upload the folder, attach it in one batch, wait.

It is the plain way with the official SDK: `file_batches.upload_and_poll`, 16 uploads at a time. It knows nothing of
what is already there, so every run uploads everything again.
"""

import json
import os
import resource
import sys
from contextlib import ExitStack
from pathlib import Path

from openai import OpenAI

CONCURRENCY = 16


def main() -> None:
    folder, store_id = Path(sys.argv[1]), sys.argv[2]
    client = OpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
    with ExitStack() as opened:
        files = [opened.enter_context(path.open("rb")) for path in sorted(folder.rglob("*")) if path.is_file()]
        batch = client.vector_stores.file_batches.upload_and_poll(
            vector_store_id=store_id, files=files, max_concurrency=CONCURRENCY
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"completed": batch.file_counts.completed, "peak_kib": peak}))


main()
