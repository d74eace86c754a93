"""The network in formats that other programs read.

folder.py    everything that its receiver needs, in a folder
formats.py   the network in each format, and its style encoder
receiver.py  what tells the receiver how to use it: a README and an example
"""

EXPORT_FORMATS = ("onnx", "openvino", "saved-model", "litert")
