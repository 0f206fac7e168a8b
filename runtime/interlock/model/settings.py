"""The service, as declared by `interlock.yaml`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from interlock.model.base import (
    Document,
    Duration,
    JsonObject,
    Name,
    SecretRef,
    TextOrSecret,
    ValueOrEnv,
)
from interlock.model.breakers import Alerts, Breakers, SpendCaps
from interlock.model.canary import Canary
from interlock.model.identity import Auth, Customers
from interlock.model.people import People

__all__ = [
    "ModelEntry",
    "PluginLimits",
    "PluginRequirement",
    "Plugins",
    "PriceEntry",
    "Provider",
    "ProviderRetry",
    "Reload",
    "Server",
    "Settings",
    "SinkUse",
    "StoreSettings",
]


class Server(Document):
    """Where the service listens."""

    host: str = "127.0.0.1"
    """The address to listen on; anything but loopback needs an API key."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """0 takes any free port."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 262_144
    """A larger request is refused."""
    drain_timeout: Duration = timedelta(seconds=30)
    """How long running turns may finish when the service is told to stop."""


class StoreSettings(Document):
    """Where conversations, turns, traces and the ledger are kept."""

    url: ValueOrEnv = "sqlite:///var/interlock.db"
    """An SQLAlchemy URL; a relative SQLite path is relative to the project."""


class ProviderRetry(Document):
    """Retries of a model call that failed for a passing reason."""

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """Calls in all, the first one included."""
    delay: Duration = timedelta(milliseconds=500)
    """The wait before the second call; it doubles each time, with jitter."""
    max_delay: Duration = timedelta(seconds=8)
    """The longest wait of our own; a server that asks for more gets it, if there is time."""


class Provider(Document):
    """A server that speaks the Messages API."""

    kind: Literal["anthropic"] = "anthropic"
    """The API that the server speaks."""
    api_key: SecretRef
    """The key; it never stands in the file itself."""
    base_url: ValueOrEnv = "https://api.anthropic.com"
    """Without `/v1`, for compatible servers too."""
    timeout: Duration = timedelta(seconds=60)
    """How long one model call may take; the turn's own deadline may be sooner."""
    max_concurrency: Annotated[int, Field(ge=1)] = 256
    """Model calls under way at once; further ones wait."""
    stream: bool = False
    """Ask for streamed replies, so that a dead connection is noticed sooner."""
    headers: dict[str, TextOrSecret] = {}
    """Further headers for every request; one that is secret is taken from elsewhere."""
    retry: ProviderRetry = ProviderRetry()
    """Retries of calls that failed for a passing reason."""


class ModelEntry(Document):
    """A model under the name that agents use."""

    provider: Name = Field(examples=["anthropic"])
    """The name of the server under `providers`."""
    model: str = Field(min_length=1, examples=["claude-haiku-5-5"])
    """The provider's id of the model."""
    max_tokens: Annotated[int, Field(ge=16, le=128_000)] = 2048
    """Output tokens of one call, thinking included."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    """How much the model thinks; the provider's own choice when left out."""
    structured_output: bool = True
    """False for servers without `output_config.format`: the schema is put into the prompt."""
    prompt_caching: bool = True
    """False for servers without `cache_control`."""
    extra_body: JsonObject = {}
    """Further fields of the request, as they are."""


class PriceEntry(Document):
    """What a model costs, in US dollars for a million tokens."""

    input: Decimal = Field(ge=0, examples=[1])
    """A million tokens of input."""
    output: Decimal = Field(ge=0, examples=[5])
    """A million tokens of output."""
    cache_read: Decimal | None = Field(default=None, ge=0, examples=[0.1])
    """The price of `input` when left out."""
    cache_write: Decimal | None = Field(default=None, ge=0, examples=[1.25])
    """The price of `input` when left out."""
    cache_write_1h: Decimal | None = Field(default=None, ge=0, alias="cacheWrite1h", examples=[2])
    """The price of `cacheWrite` when left out."""


def _check_quiet(value: timedelta) -> timedelta:
    if value > timedelta(seconds=5):
        raise PydanticCustomError("duration", "must be 5s at most")
    return value


def _check_resync(value: timedelta) -> timedelta:
    if value < timedelta(milliseconds=100):
        raise PydanticCustomError("duration", "must be 100ms at least")
    return value


class Reload(Document):
    """How changes of the configuration take effect while the service runs."""

    mode: Literal["auto", "manual"] = "auto"
    """`auto` applies what is saved; `manual` waits for a signal, `interlock reload` or the API."""
    quiet: Annotated[Duration, AfterValidator(_check_quiet)] = timedelta(milliseconds=300)
    """How long the files must stay the same before they are loaded; 5s at most."""
    resync: Annotated[Duration, AfterValidator(_check_resync)] = timedelta(seconds=2)
    """How often the files are compared with what is known, whether or not a change is announced."""
    max_removed: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The share of all agents that a change may remove without being told to."""
    drain_timeout: Duration = timedelta(minutes=10)
    """How long running turns may go on with a configuration that has been replaced."""
    max_stale: Duration | None = Field(default=None, examples=["1h"])
    """How long the service stays ready while the files cannot be applied; for ever if left out."""
    follow_symlinks: bool = False
    """Also read files behind links that lead out of the project."""
    canary: Canary | None = None
    """Try a change on a share of new conversations first; for all at once if left out."""
    state_dir: str | None = Field(default=None, min_length=1, examples=["var/last-good"])
    """Where the last good configurations are kept, relative to the project; beside the store if
    left out."""


class PluginLimits(Document):
    """What one plugin is allowed, and what becomes of its failures."""

    timeout: Duration = timedelta(seconds=5)
    """How long one call of a hook may take."""
    on_error: Literal["deny", "allow"] = "deny"
    """What a guard hook or a guardrail of the plugin says when it raises or takes too long."""
    max_stuck: Annotated[int, Field(ge=1, le=64)] = 3
    """Calls that were given up and do not end, until the plugin is no longer called."""
    queue: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Trace events that may wait for the plugin; further ones are dropped and counted."""


PluginRequirement = Annotated[
    str,
    Field(
        pattern=r"^[a-zA-Z][a-zA-Z0-9_-]{0,63}(>=[0-9]{1,9}(\.[0-9]{1,9}){0,5})?$",
        examples=["pii>=1.2"],
    ),
]
"""A plugin's name, with or without the least version: `pii` or `pii>=1.2`."""


class Plugins(Document):
    """Which plugins run, and how."""

    required: tuple[PluginRequirement, ...] = Field(default=(), examples=[["pii>=1.2"]])
    """Plugins without which nothing starts, such as `pii` or `pii>=1.2`."""
    disable: tuple[Annotated[Name, Field(examples=["pii"])], ...] = Field(
        default=(), examples=[["pii"]]
    )
    """Plugins that are not loaded, although they are there."""
    drop_ins: bool = True
    """False to take no plugin from the project's `plugins/`, only installed ones."""
    settings: dict[Name, JsonObject] = Field(default={}, examples=[{"pii": {"strict": True}}])
    """The plugins' own settings, by plugin."""
    limits: dict[Name, PluginLimits] = Field(default={}, examples=[{"pii": {"timeout": "2s"}}])
    """What each plugin is allowed, by plugin."""


class SinkUse(Document):
    """A sink that trace events are sent to, beside the store."""

    use: Name = Field(examples=["jsonl"])
    """The sink's name: `jsonl`, `console`, or that of a plugin."""
    with_: JsonObject = Field(default={}, alias="with", examples=[{"path": "var/trace.jsonl"}])
    """Its own settings."""


class Settings(Document):
    """The service: where it listens, what it keeps, which models it may call."""

    server: Server = Server()
    """Where the service listens."""
    store: StoreSettings = StoreSettings()
    """Where conversations and traces are kept."""
    auth: Auth = Auth()
    """Who may use the API."""
    customers: Customers = Customers()
    """How much of the service one customer may take."""
    reload: Reload = Reload()
    """How changes of the configuration take effect."""
    providers: Annotated[dict[Name, Provider], Field(min_length=1)]
    """The servers that answer model calls, by a name of your choice."""
    models: Annotated[dict[Name, ModelEntry], Field(min_length=1)]
    """The models that agents may use, by the name that they use."""
    breakers: Breakers = Breakers()
    """What stops damage in the service as a whole."""
    spend: SpendCaps = SpendCaps()
    """What model calls may cost in an hour or a day."""
    alerts: Alerts = Alerts()
    """Who hears of a breaker that opens or closes."""
    prices: dict[str, PriceEntry] = {}
    """Prices by model id, which override the known ones."""
    variables: dict[str, str | int | float | bool] = {}
    """Values for the prompts of every agent."""
    environment: dict[str, str] = {}
    """Defaults for environment variables that tools refer to; never secrets."""
    people: People = People()
    """How people are brought in."""
    plugins: Plugins = Plugins()
    """Which plugins run, and how."""
    sinks: tuple[SinkUse, ...] = Field(default=(), examples=[[{"use": "console"}]])
    """Where trace events are sent, beside the store."""
