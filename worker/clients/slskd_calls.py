"""slskd's API v0: the endpoints that we call and the shapes of their answers."""

from __future__ import annotations

import msgspec
from msgspec.json import Decoder

from worker.clients.http import Endpoint, get
from worker.clients.slskd_answers import (
    Application,
    EventRow,
    FolderContents,
    Options,
    Response,
    Search,
    ServerState,
    UserStatus,
)
from worker.clients.slskd_transfers import Batch, BatchAnswer, UserTransfers

_ANYTHING = Decoder(msgspec.Raw)
_SEARCH = Decoder(Search)

APPLICATION = get("/api/v0/application", Decoder(Application))
SERVER = get("/api/v0/server", Decoder(ServerState))
OPTIONS = get("/api/v0/options", Decoder(Options))
EVENTS = get("/api/v0/events", Decoder(tuple[EventRow, ...]))
USER_STATUS = get("/api/v0/users/{}/status", Decoder(UserStatus))

START_SEARCH = Endpoint("POST", "/api/v0/searches", _SEARCH, repeatable=False)
SEARCH = get("/api/v0/searches/{}", _SEARCH)
RESPONSES = get("/api/v0/searches/{}/responses", Decoder(tuple[Response, ...]))
STOP_SEARCH = Endpoint("PUT", "/api/v0/searches/{}", _ANYTHING, repeatable=True)
DELETE_SEARCH = Endpoint("DELETE", "/api/v0/searches/{}", _ANYTHING, repeatable=True)

ENQUEUE_BATCH = Endpoint("POST", "/api/v0/transfers/downloads/batches", Decoder(BatchAnswer), repeatable=False)
BATCH = get("/api/v0/transfers/downloads/batches/{}", Decoder(Batch))
# What it answers depends on the version: nothing, names in two spellings, or objects that the serialiser left empty.
ENQUEUE = Endpoint("POST", "/api/v0/transfers/downloads/{}", _ANYTHING, repeatable=False)
DOWNLOADS = get("/api/v0/transfers/downloads", Decoder(tuple[UserTransfers, ...]))
DOWNLOADS_OF = get("/api/v0/transfers/downloads/{}", Decoder(UserTransfers))
CANCEL = Endpoint("DELETE", "/api/v0/transfers/downloads/{}/{}", _ANYTHING, repeatable=True)
DELETE_FOLDER = Endpoint("DELETE", "/api/v0/files/downloads/directories/{}", _ANYTHING, repeatable=True)
DELETE_FILE = Endpoint("DELETE", "/api/v0/files/downloads/files/{}", _ANYTHING, repeatable=True)
FOLDER_CONTENTS = get("/api/v0/files/downloads/directories/{}", Decoder(FolderContents))
