"""Tests: the application on OpenVINO in this folder, training on TensorFlow or JAX in `train/`."""
