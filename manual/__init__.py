"""What an installation has beside the package: man pages and completions, made from the sources.

python3 -m manual [FOLDER] writes them; setup.py does, for a wheel.
"""
