"""OpenVINO: the ONNX file in each precision that this processor computes in, and in INT8 by NNCF."""

import openvino


def peers(options):
    core = openvino.Core()
    version = openvino.__version__.split("-")[0]
    model = core.read_model(options.onnx)

    def compiled(model, precision):
        return core.compile_model(model, "CPU", {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": options.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        })

    def peer(label, arithmetic, network):
        request = network.create_infer_request()
        return {
            "name": f"OpenVINO {version} {label}",
            "arithmetic": arithmetic,
            "encode": lambda log_mel: request.infer([log_mel])[0],
        }

    for precision in ("f32", "bf16", "f16"):
        network = compiled(model, precision)
        used = network.get_property("INFERENCE_PRECISION_HINT").to_string()
        if used not in (precision, {"f32": "float", "bf16": "bfloat16", "f16": "float16"}[precision]):
            yield f"OpenVINO in {precision}: it would compute in {used} here"
            continue
        yield peer(precision.upper(), precision, network)

    try:
        import nncf
    except ImportError as error:
        yield f"OpenVINO in int8: {error}"
        return
    nncf.set_log_level(40)
    # The window that is measured is the calibration too: better than it could ever know in use.
    calibration = nncf.Dataset([options.log_mel])
    quantized = nncf.quantize(model, calibration, model_type=nncf.ModelType.TRANSFORMER, subset_size=1)
    yield peer("INT8 (NNCF)", "int8", compiled(quantized, "f32"))
