"""A Ray cluster for tests."""

from __future__ import annotations

from experiments.common.ray_cluster import ADDRESS as ADDRESS
from experiments.common.ray_cluster import PORT as PORT
from experiments.common.ray_cluster import Namespace as Namespace
from experiments.common.ray_cluster import RayCluster as RayCluster
from experiments.common.ray_cluster import wait_until as wait_until
