"""Epoch reports per second of Optuna's storages: trials of 20 reports, random search, one process.

usage: peers.py SECONDS      prints "NAME<TAB>REPORTS_PER_SECOND" per storage, or instead of the number
                             the missing package: each storage needs some that Optuna does not install
"""

import socket
import sys
import threading
import time

import optuna

REPORTS = 20


def measure(name, storage, seconds):
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=1))
    rows = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        trial = study.ask()
        trial.suggest_float("lr", 1e-3, 0.3, log=True)
        for epoch in range(1, REPORTS + 1):
            trial.report(1 - 0.2 / epoch, epoch)
        study.tell(trial, 0.99)
        rows += REPORTS
    rate = rows / (time.perf_counter() - start)
    print(f"optuna {optuna.__version__}, {name}\t{rate:.0f}", flush=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def sqlite():
    from optuna.storages import RDBStorage

    return RDBStorage("sqlite:///optuna.db")


def journal():
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend("optuna.log"))


def proxy():
    from optuna.storages import GrpcStorageProxy, RDBStorage, run_grpc_proxy_server

    port = free_port()
    served = RDBStorage("sqlite:///served.db")
    threading.Thread(
        target=run_grpc_proxy_server, args=(served,), kwargs={"host": "127.0.0.1", "port": port}, daemon=True
    ).start()
    storage = GrpcStorageProxy(host="127.0.0.1", port=port)
    storage.wait_server_ready(timeout=60)
    return storage


def main():
    seconds = float(sys.argv[1])
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for name, make in (("SQLite", sqlite), ("journal file", journal), ("gRPC proxy over SQLite", proxy)):
        try:
            measure(name, make(), seconds)
        except ImportError as error:
            print(f"optuna {optuna.__version__}, {name}\tnot measured: {' '.join(str(error).split())}", flush=True)


main()
