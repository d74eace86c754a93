"""Training's tests run on TensorFlow, or on the backend that `KERAS_BACKEND` names, in a process of their own."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
