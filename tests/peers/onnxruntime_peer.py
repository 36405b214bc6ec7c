"""ONNX Runtime: the ONNX file in F32, and in dynamic INT8 per channel."""

import os

import onnxruntime


def peers(options):
    version = onnxruntime.__version__

    def peer(label, arithmetic, path):
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        feed = session.get_inputs()[0].name
        return {
            "name": f"ONNX Runtime {version} {label}",
            "arithmetic": arithmetic,
            "encode": lambda log_mel: session.run(None, {feed: log_mel})[0],
        }

    yield peer("F32", "f32", options.onnx)
    try:
        from onnxruntime.quantization import quantize_dynamic
    except ImportError as error:
        yield f"ONNX Runtime in int8: {error}"
        return
    quantized = os.path.join(options.work, "onnxruntime_int8.onnx")
    # Products with weights alone: its INT8 convolution is many times slower than the one in F32.
    quantize_dynamic(options.onnx, quantized, per_channel=True, op_types_to_quantize=["MatMul"])
    yield peer("INT8", "int8", quantized)
