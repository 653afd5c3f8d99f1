"""An SMTP server (aiosmtpd) that writes each mail to a file: smtp_server.py PORT FOLDER."""

import asyncio
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP


class ToFolder:
    def __init__(self, folder):
        self.folder, self.count = Path(folder), 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        part = self.folder / f"{self.count:06}.part"
        part.write_bytes(envelope.content)
        part.rename(part.with_suffix(".eml"))
        return "250 taken"


async def main(port, folder):
    handler = ToFolder(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True), "127.0.0.1", port)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
