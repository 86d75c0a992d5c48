"""An ordinary MLflow training script: it runs as it is on a laptop, and under Martlet."""

import mlflow
import mlflow.sklearn
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

features, target = load_diabetes(return_X_y=True)
known, unseen, known_target, unseen_target = train_test_split(features, target, test_size=0.25, random_state=7)

mlflow.sklearn.autolog()
with mlflow.start_run():
    model = Ridge(alpha=0.1).fit(known, known_target)
    mlflow.log_metric("test_mse", mean_squared_error(unseen_target, model.predict(unseen)))
