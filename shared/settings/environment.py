"""Settings from the environment: what holds for those that nobody has set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import ConfigError, ConfigFault, InvalidInput
from shared.settings.registry import REGISTRY


def settings_from(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that REPRISE_SETTING_<NAME> gives; an empty variable counts as unset.

    Raises ConfigError with every fault at once, a misspelled name included.
    """
    found: dict[str, Any] = {}
    faults: list[ConfigFault] = []
    variables = {setting.variable: setting for setting in REGISTRY.values()}
    for variable, text in sorted(environ.items()):
        if not variable.startswith("REPRISE_SETTING_") or not text.strip():
            continue
        setting = variables.get(variable)
        if setting is None:
            faults.append(
                ConfigFault(variable, "there is no such setting", f"Known are {', '.join(sorted(variables))}")
            )
            continue
        try:
            found[setting.name] = setting.read(text.strip(), from_text=True)
        except InvalidInput:
            faults.append(ConfigFault(variable, f"{text.strip()!r} can't be used", f"{setting.help}: {setting.range}"))
    if faults:
        raise ConfigError(faults)
    return found
