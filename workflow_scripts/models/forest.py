"""Random forest (Breiman 2001), the third model of the comparison in Qiao 2024, 3.1; kept as ONNX."""

import numpy as np

from workflow_scripts.models.model import Fitted, Predictor, Reals, Settings, TrainingData, shares

COMPLETE = True


def fit(data: TrainingData, settings: Settings, seed: int, threads: int) -> Fitted:
    """Grow all trees on the training rows; the validation rows are left out, as the boosters do not learn from them."""
    import skl2onnx
    import sklearn
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(settings.trees, random_state=seed, n_jobs=threads)
    forest.fit(data.x, data.y, sample_weight=data.weight)
    kind = skl2onnx.common.data_types.FloatTensorType([None, data.x.shape[1]])
    onnx = skl2onnx.convert_sklearn(forest, "forest", [("x", kind)], options={id(forest): {"zipmap": False}})
    library = f"scikit-learn {sklearn.__version__}, skl2onnx {skl2onnx.__version__}"
    return Fitted(
        onnx.SerializeToString(deterministic=True), settings.trees, shares(forest.feature_importances_), library
    )


def predictor(content: bytes) -> Predictor:
    """Read the ONNX graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def predict(x: Reals) -> Reals:
        probability = session.run(["probabilities"], {"x": x.astype(np.float32)})[0].astype(np.float64)
        total = probability.sum(axis=1, keepdims=True)  # 1 to single precision only
        normalised: Reals = probability / total
        return normalised

    return predict
