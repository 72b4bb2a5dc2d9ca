"""What changes at 64 x 64 and 256 x 256 pixels, on 1, 8 and 64 GPUs? The numbers of docs/scale.md.

python -m tools.scale             print the tables
python -m tools.scale --write     put them into docs/scale.md

counting     what a U-Net costs, counted from the package's own network without running it
cases        which networks and machines are compared; every assumption has a name and a source
tables       the tables
"""
