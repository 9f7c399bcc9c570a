"""What every command and domain rests on: errors, files, plug-ins, progress. Imports nothing of the project."""
