"""How fast it is.

bench.py     the network, the loop, a live show, starts and memory
roofline.py  how fast the machine could be
chart.py     both as a picture
"""
