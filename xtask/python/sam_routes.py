"""Prints the HTTP routes that `sam local start-api` would serve, one a line. The command itself stops before them where there is no Docker."""

from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

stacks, _ = SamLocalStackProvider.get_stacks("template.yaml")
for route in ApiProvider(stacks).api.routes:
    for method in route.methods:
        print(f"{route.function_name} {method} {route.path}")
