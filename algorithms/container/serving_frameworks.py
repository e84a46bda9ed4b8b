"""The functions that a framework's container uses where the user's module defines none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from algorithms.container import serving_codecs as codecs
from algorithms.container.serving_codecs import Style

_MODEL_SUFFIXES = (".pt", ".pth")


class ModelLoadError(Exception):
    """The default ``model_fn`` could not load the file it found."""


class Framework(Protocol):
    """Default serving functions; the names are those of the contract."""

    style: Style

    def model_fn(self, model_dir: str) -> Any:
        """Load the model."""

    def input_fn(self, input_data: str | bytes, content_type: str) -> Any:
        """Read a request body."""

    def predict_fn(self, data: Any, model: Any) -> Any:
        """Predict."""

    def output_fn(self, prediction: Any, accept: str) -> tuple[bytes, str]:
        """Write a response body and say its content type."""


class ScikitLearn:
    """The scikit-learn container's defaults: float32 from text, ``model.predict``; ``model_fn`` has none."""

    style: Style = "scikit-learn"

    def __init__(self, default_accept: str) -> None:
        self._accept = default_accept

    def model_fn(self, model_dir: str) -> Any:
        """There is no default; a pickle says nothing about how it wants to be loaded."""
        raise NotImplementedError(
            "Please provide a model_fn implementation.\n"
            "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk"
        )

    def input_fn(self, input_data: str | bytes, content_type: str) -> Any:
        """An array of at least two dimensions: one row where the body has one dimension."""
        import numpy as np

        array = codecs.decode(input_data, content_type, self.style)
        if codecs.media_type(content_type) in codecs.TEXT_TYPES:
            try:
                array = array.astype(np.float32)
            except (TypeError, ValueError) as error:
                raise codecs.Unparsable(f"Unable to read the request body as numbers: {error}") from error
        return array.reshape(1, -1) if getattr(array, "ndim", 2) == 1 else array

    def predict_fn(self, data: Any, model: Any) -> Any:
        """``model.predict(data)``."""
        return model.predict(data)

    def output_fn(self, prediction: Any, accept: str) -> tuple[bytes, str]:
        """JSON, CSV (one row a line) or NPY."""
        chosen = codecs.choose(accept, self._accept)
        return codecs.encode(prediction, chosen, self.style), chosen


class PyTorch:
    """The PyTorch container's defaults: TorchScript models, float tensors in, nested lists out."""

    style: Style = "pytorch"

    def __init__(self, default_accept: str) -> None:
        self._accept = default_accept
        self._device: Any = None

    @property
    def device(self) -> Any:
        """CUDA where there is one, else the CPU."""
        if self._device is None:
            import torch

            self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return self._device

    def model_fn(self, model_dir: str) -> Any:
        """``torch.jit.load`` of ``model.pt``, or of the only ``.pt``/``.pth`` file.

        Raises:
            ValueError: None or several candidates.
            ModelLoadError: The file is no TorchScript archive.
        """
        import torch

        path = Path(model_dir) / "model.pt"
        if not path.exists():
            found = sorted(
                p for p in Path(model_dir).iterdir() if p.is_file() and p.suffix in _MODEL_SUFFIXES
            )
            if len(found) != 1:
                names = [p.name for p in found]
                raise ValueError(f"Exactly one .pth or .pt file is required for PyTorch models: {names}")
            path = found[0]
        try:
            return torch.jit.load(str(path), map_location=self.device)
        except RuntimeError as error:
            raise ModelLoadError(
                f"Failed to load {path}. Please ensure model is saved using torchscript."
            ) from error

    def input_fn(self, input_data: str | bytes, content_type: str) -> Any:
        """A float tensor from JSON and CSV; NPY keeps its own type."""
        import numpy as np
        import torch

        array = codecs.decode(input_data, content_type, self.style)
        if codecs.media_type(content_type) in codecs.TEXT_TYPES:
            try:
                tensor = torch.from_numpy(np.array(array, dtype=np.float32))
            except (TypeError, ValueError) as error:
                raise codecs.Unparsable(f"Unable to read the request body as numbers: {error}") from error
        else:
            tensor = torch.from_numpy(array)
        return tensor.to(self.device)

    def predict_fn(self, data: Any, model: Any) -> Any:
        """``model(data)`` in evaluation mode and without gradients."""
        import torch

        with torch.no_grad():
            # What InferenceSpec-style model functions return is a plain callable, not a module.
            if isinstance(model, torch.nn.Module):
                model = model.to(self.device)
                model.eval()
            if isinstance(data, torch.Tensor):
                data = data.to(self.device)
            return model(data)

    def output_fn(self, prediction: Any, accept: str) -> tuple[bytes, str]:
        """JSON, CSV or NPY of the prediction; a tensor becomes nested lists first."""
        import torch

        if isinstance(prediction, torch.Tensor):
            prediction = prediction.detach().cpu().numpy().tolist()
        chosen = codecs.choose(accept, self._accept)
        return codecs.encode(prediction, chosen, self.style), chosen


class XGBoost:
    """The XGBoost container's defaults: DMatrix in, the Booster's predictions out; ``model_fn`` has none."""

    style: Style = "pytorch"

    def __init__(self, default_accept: str) -> None:
        self._accept = default_accept

    def model_fn(self, model_dir: str) -> Any:
        """There is no default: a model may have been saved in any way."""
        raise NotImplementedError(
            "Please provide a model_fn implementation.\n"
            "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk"
        )

    def input_fn(self, input_data: str | bytes, content_type: str) -> Any:
        """A DMatrix of CSV, LIBSVM or recordIO-protobuf."""
        import xgboost

        from algorithms.builtin.xgb import payloads

        try:
            kind = payloads.kind_of(content_type)
        except payloads.Unreadable as error:
            raise codecs.UnsupportedFormat(content_type) from error
        body = input_data.encode() if isinstance(input_data, str) else input_data
        try:
            return xgboost.DMatrix(payloads.features(body, kind))
        except payloads.Unreadable as error:
            raise codecs.Unparsable(str(error)) from error

    def predict_fn(self, data: Any, model: Any) -> Any:
        """``model.predict(data, validate_features=False)``."""
        return model.predict(data, validate_features=False)

    def output_fn(self, prediction: Any, accept: str) -> tuple[bytes, str]:
        """JSON, CSV (one row a line) or NPY."""
        chosen = codecs.choose(accept, self._accept)
        return codecs.encode(prediction, chosen, self.style), chosen


def framework(name: str, model_dir: Path, default_accept: str) -> Framework:
    """The defaults of a framework by name.

    Without a name the model's files decide: a ``.pt`` or ``.pth`` file means PyTorch, anything else scikit-learn, whose
    defaults need no heavy import.

    Raises:
        ValueError: An unknown framework.
    """
    if not name:
        files = list(model_dir.iterdir()) if model_dir.is_dir() else []
        name = "pytorch" if any(path.suffix in _MODEL_SUFFIXES for path in files) else "scikit-learn"
    if name == "pytorch":
        return PyTorch(default_accept)
    if name in ("scikit-learn", "sklearn"):
        return ScikitLearn(default_accept)
    if name == "xgboost":
        return XGBoost(default_accept)
    raise ValueError(f"No serving defaults for framework '{name}': pytorch, scikit-learn or xgboost.")
