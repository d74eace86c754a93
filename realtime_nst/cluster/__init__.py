"""Films painted, and other commands given, by many machines, by way of Dask (`pip install 'realtime-nst[cluster]'`).

dask_farm.py      the client: which worker paints which stretch, and what comes back; hands.py one worker as seen from there
scout.py          reads the film ahead of all, and writes the orders; orders.py what is in them
album.py          what frames look like from afar, for those who find how the camera moved
labour.py         what a worker does; originals.py the film where a worker can read it
commands.py       commands of this program, each given by a worker: training and evaluation
crew.py           who is there, as a client sees them
connection.py     to a scheduler, or a small cluster on this machine
"""
