"""The arrow from source to sink, and what it is made of. It knows neither pictures' content nor where they come from.

loop.py       the loop: source, stylizer, sink
stage.py      an iterable that runs ahead on a thread of its own
in_flight.py  several calls at once, whose results keep their order; processes.py for those that need their own,
              overlapped.py for one of three steps shared so
stats.py      frames per second, frame age
interrupt.py  Ctrl-C as a request
buffers.py    memory for pictures, used again
"""
