"""The hub's settings; what differs from class to class stands in hub.json of its folder."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import people
import roll

folder = Path(os.environ["DDPM_LAB_HUB"])
facts = json.loads((folder / "hub.json").read_text())
env = folder / "env" / "bin"
port = facts["port"]
c = get_config()  # noqa: F821

# The proxy is a program of its own, and servers outlive the hub: a restart disturbs nobody.
c.JupyterHub.bind_url = f"http://{facts['ip']}:{port}"
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", port + 1
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{port + 2}"
c.JupyterHub.cleanup_servers = c.JupyterHub.cleanup_proxy = False
c.JupyterHub.db_url = f"sqlite:///{folder}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(folder / "cookie_secret")
c.JupyterHub.concurrent_spawn_limit = 4 * (os.cpu_count() or 1)

# Who
root = os.geteuid() == 0 and not facts["trial"]
c.JupyterHub.authenticator_class = people.Accounts if root else people.Passwords
c.Passwords.file = str(folder / "passwords.csv")
c.Authenticator.allowed_users = set(facts["accounts"])
c.Authenticator.admin_users = {roll.account(facts["teacher"])}
c.LocalAuthenticator.create_system_users = root
add = ["useradd", "--create-home", "--shell", "/bin/bash", "--key", "HOME_MODE=0700"]
c.LocalAuthenticator.add_user_cmd = add

# What each gets
c.JupyterHub.spawner_class = people.OwnUser if root else people.SameUser
c.SameUser.home_dir_template = str(folder / "homes" / "{username}")
c.Spawner.cmd = [str(env / "start-student")]
c.Spawner.notebook_dir = "~/ddpm-lab"
c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"
c.Spawner.mem_limit = facts["memory"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 300  # thirty start at once
c.Spawner.env_keep = ["LANG", "LC_ALL"]
one = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
c.Spawner.environment = {"PATH": f"{env}:/usr/local/bin:/usr/bin:/bin", **dict.fromkeys(one, "1")}

# What is given back: a notebook's variables, then the server; what is saved stays.
idle = 60 * facts["idle"]
c.Spawner.args = [
    f"--MappingKernelManager.cull_idle_timeout={idle}",
    "--MappingKernelManager.cull_connected=True",
    f"--ServerApp.shutdown_no_activity_timeout={2 * idle}",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
c.Spawner.args += ["--allow-root"] if os.geteuid() == 0 and not root else []
cull = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={idle}", "--cull-every=300"]
c.JupyterHub.services = [{"name": "cull-idle", "command": cull}]
scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
c.JupyterHub.load_roles = [{"name": "cull-idle", "scopes": scopes, "services": ["cull-idle"]}]
