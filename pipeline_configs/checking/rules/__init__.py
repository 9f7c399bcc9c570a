"""What `check_config` knows: one file for each family of rules, found by listing this folder.

A rule is made by `pipeline_configs.checking.rule.rule`. Each has a file tests/data/configs/rules/CODE.yaml with configs
that trigger it and configs that do not; docs/check_config.md lists them all. The codes of a family need not have
one prefix: they are those under which the facts about the engine were first collected.
"""
