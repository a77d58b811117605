"""Federated distillation: owners of data share soft labels for a public set."""

from diswot.methods.federated._client import Answer, Client, Reply, Request
from diswot.methods.federated._deployment import deployed_apps
from diswot.methods.federated._engine import Engine, LocalEngine, Replies, local_engine
from diswot.methods.federated._federation import Federation, Owner, federation_of
from diswot.methods.federated._flower import simulate
from diswot.methods.federated._fusion import (
    FUSIONS,
    class_distributions,
    fused,
    fusion_weights,
    knfu_weights,
    suspicions,
)
from diswot.methods.federated._options import FederatedOptions
from diswot.methods.federated._partition import Mix, Share, dirichlet_shares, read_shares
from diswot.methods.federated._privacy import epsilon
from diswot.methods.federated._report import ClientRow, FederatedReport
from diswot.methods.federated._run import FederatedRun
from diswot.methods.federated._server import Plan, Round, Server
from diswot.methods.federated._sharing import Sharing
from diswot.methods.federated._store import ClientStore

__all__ = [
    "FUSIONS",
    "Answer",
    "Client",
    "ClientRow",
    "ClientStore",
    "Engine",
    "FederatedOptions",
    "FederatedReport",
    "FederatedRun",
    "Federation",
    "LocalEngine",
    "Mix",
    "Owner",
    "Plan",
    "Replies",
    "Reply",
    "Request",
    "Round",
    "Server",
    "Share",
    "Sharing",
    "class_distributions",
    "deployed_apps",
    "dirichlet_shares",
    "epsilon",
    "federation_of",
    "fused",
    "fusion_weights",
    "knfu_weights",
    "local_engine",
    "read_shares",
    "simulate",
    "suspicions",
]
