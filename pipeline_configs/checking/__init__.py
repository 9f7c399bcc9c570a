"""What is wrong with a config: rules, findings, and the template that a config is most like."""
