"""What a user of Mesa's public Python SDK does, against whatever service MESA_API_URL names.

`walk.py walk` goes through the calls and prints one JSON object; `walk.py receive` verifies the deliveries on its input.
"""

import asyncio
import json
import os
import subprocess
import sys

from mesa_sdk import ConflictError, Mesa, MesaWebhookVerificationError, NotFoundError, ValidationError
from mesa_sdk.types import TokenAuth, UpstreamConfig

EVENTS = ["sync.queued", "sync.in_progress", "sync.completed", "sync.failed", "repo.created", "repo.updated", "repo.deleted", "push"]


async def ended(mesa: Mesa, repo: str, sync_id: str):
    for _ in range(400):
        run = await mesa.repos.get_upstream_sync(repo=repo, sync_id=sync_id)
        if str(run.status) in ("completed", "failed"):
            return run
        await asyncio.sleep(0.1)
    raise TimeoutError(f"the run {sync_id} does not end")


async def refused(call, kind) -> str:
    try:
        await call
    except kind as error:
        return error.body.to_dict()["error"]["code"]
    raise AssertionError(f"it was not refused with {kind.__name__}")


async def walk() -> dict:
    url, token = os.environ["UPSTREAM_URL"], os.environ["UPSTREAM_TOKEN"]
    said = {}
    async with Mesa(api_url=os.environ["MESA_API_URL"]) as mesa:
        said["org"] = (await mesa.org.get()).to_dict()
        target = await mesa.webhook_targets.create(url=os.environ["HOOK_URL"], name="sdk", events=EVENTS)
        said["secret"] = target.secret
        subprocess.run(["git", "-C", os.environ["TREE"], "push", "-q", os.environ["SOURCE"], "HEAD:refs/tags/pushed"], check=True)

        # With a default branch that does not exist, the run has a message. The SDK does not know this field.
        made = await mesa.repos.create(name="sdk", default_bookmark="trunk", upstream=UpstreamConfig(url=url, auth=TokenAuth(token=token)))
        said["made"] = made.to_dict()
        said["no_upstream"] = await refused(mesa.repos.sync_upstream(repo="plain", direction="pull"), ConflictError)
        said["not_found"] = await refused(mesa.repos.get(repo="nowhere"), NotFoundError)
        said["invalid"] = await refused(mesa.repos.create(name="not a name"), ValidationError)

        queued = await mesa.repos.sync_upstream(repo="sdk", direction="pull", ref_globs={"branches": "*"})
        said["queued"] = queued.to_dict()
        said["completed"] = (await ended(mesa, "sdk", queued.id)).to_dict()
        await mesa.repos.update(repo="sdk", upstream=UpstreamConfig(url=url, auth=TokenAuth(token="wrong")))
        failing = await mesa.repos.sync_upstream(repo="sdk", direction="push")
        said["failed"] = (await ended(mesa, "sdk", failing.id)).to_dict()
        page = await mesa.repos.list_upstream_syncs(repo="sdk", limit=1)
        rest = await mesa.repos.list_upstream_syncs(repo="sdk", limit=1, cursor=page.next_cursor)
        said["listed"] = [sync.id for sync in [*page.syncs, *rest.syncs]]
        said["repo"] = (await mesa.repos.get(repo="sdk")).to_dict()
        said["repos"] = [repo.name for repo in (await mesa.repos.list()).repos]

        targets = await mesa.webhook_targets.update(webhook_target_id=target.id, name="renamed")
        said["renamed"] = targets.to_dict()["name"]
        said["targets"] = [one.id for one in (await mesa.webhook_targets.list()).webhook_targets] == [target.id]
        await mesa.repos.update(repo="sdk", name="sdk-renamed", upstream=None)
        said["deleted"] = (await mesa.repos.delete(repo="sdk-renamed")).to_dict()
    return said


async def receive() -> dict:
    given = json.load(sys.stdin)
    seen = []
    mesa = Mesa(api_url=os.environ["MESA_API_URL"], webhook_secret=given["secret"])
    mesa.webhooks.on(EVENTS, lambda event: seen.append(event["type"]))
    for delivery in given["deliveries"]:
        await mesa.webhooks.receive(delivery["raw"], delivery["headers"])
    forged = given["deliveries"][0]
    try:
        await mesa.webhooks.receive(forged["raw"] + " ", forged["headers"])
    except MesaWebhookVerificationError:
        return {"seen": seen}
    raise AssertionError("a changed delivery was taken")


print(json.dumps(asyncio.run({"walk": walk, "receive": receive}[sys.argv[1]]())))
