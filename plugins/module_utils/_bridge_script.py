# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that runs inside Airflow's own interpreter (Python 3.6 and newer), sent with ``-c``. **PRIVATE** to the collection.

It reads JSON lines from standard input and answers each with one on standard output. First comes the environment, so that no secret of
it stands in the process's own; the answer is the hello. Only the ORM is used: Airflow's application builder would rewrite the standard
roles and log password hashes. The text of a database error may hold a hash: only the driver's own sentence is passed on.
"""

import importlib
import json
import os
import sys
import tempfile


def load(name):
    module, _colon, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def hello(config):
    """Imports Airflow. What would make it invent an empty database, or a configuration, is found before."""
    os.environ.update(config["environment"])
    home = os.path.expanduser(os.path.expandvars(os.environ.get("AIRFLOW_HOME", "~/airflow")))
    config_file = os.path.expanduser(os.environ.get("AIRFLOW_CONFIG", os.path.join(home, "airflow.cfg")))
    if not os.path.isdir(home):
        return {"not_there": f"there is no Airflow home {home}: set airflow_home"}
    SimpleUsers.config_file = config_file
    if not os.path.exists(config_file):
        os.environ["AIRFLOW_CONFIG"] = os.environ["AIRFLOW_TEST_CONFIG"] = os.devnull
        told = any(name.startswith("AIRFLOW__") and "SQL_ALCHEMY_CONN" in name for name in os.environ)
        if not told and not os.path.exists(os.path.join(home, "airflow.db")):
            return {
                "not_there": f"the Airflow home {home} holds neither airflow.cfg nor airflow.db, and no setting names a database: "
                "set airflow_home, or airflow_env_file, as the service has it"
            }
    airflow = importlib.import_module("airflow")
    settings = importlib.import_module("airflow.settings")
    conf = importlib.import_module("airflow.configuration").conf
    if settings.engine is None:
        settings.configure_orm()
    url = settings.engine.url
    if url.drivername.startswith("sqlite") and url.database and not os.path.exists(url.database):
        return {"not_there": f"there is no database {url.database}: set airflow_home, or airflow_env_file, as the service has it"}
    return {
        "version": airflow.__version__,
        "database": hidden(url),
        "guards": {"auth_manager": conf.get("core", "auth_manager", fallback=""), "auth_backend": conf.get("api", "auth_backend", fallback="")},
    }


def hidden(url):
    return url.render_as_string(hide_password=True) if hasattr(url, "render_as_string") else repr(url)


class InvalidToken(Exception):
    """So cryptography calls what it cannot decrypt, and has no words for it."""


def readable(found, attribute):
    """Airflow reads what it cannot decrypt as nothing, where it does not fail."""
    value = getattr(found, attribute)
    if value is None and getattr(found, "_" + attribute, None) is not None:
        raise InvalidToken
    return value


class Table:
    """One kind of object in the database, as the row of the dialect describes it."""

    def __init__(self, session, row):
        self.session = session
        self.row = row
        self.model = load(row["model"])

    def exists(self):
        from sqlalchemy import inspect

        return self.model.__table__.name in inspect(self.session.get_bind()).get_table_names()

    def find(self, name, value):
        attribute = self.row["attributes"].get(name, name)
        return self.session.query(self.model).filter(getattr(self.model, attribute) == value).first()

    def tell(self, found):
        if found is None:
            return None
        hidden = (*self.row["hashed"], *self.row["secrets"])
        told = {option: readable(found, attribute) for option, attribute in self.row["attributes"].items() if option not in hidden}
        told.update({option: sorted(one.name for one in getattr(found, option)) for option in self.row["related"]})
        return told

    def set(self, found, values):
        for option, value in values.items():
            if option in self.row["related"]:
                value = self.related(option, value)
                setattr(found, option, value)
                continue
            if option in self.row["hashed"]:
                value = load(self.row["hashed"][option] + ":generate_password_hash")(value)
                value = value.decode() if isinstance(value, bytes) else value
            setattr(found, self.row["attributes"][option], value)
        self.session.add(found)
        self.session.commit()
        return self.tell(found)

    def related(self, option, names):
        model = load(self.row["related"][option])
        return self.session.query(model).filter(model.name.in_(names)).all() if names else []

    def create(self, values):
        return self.set(self.model(load(self.row["wraps"])()) if self.row["wraps"] else self.model(), values)

    def all(self):
        return [self.tell(found) for found in self.session.query(self.model).order_by(getattr(self.model, self.key()))]

    def key(self):
        return self.row["attributes"].get(self.row["key"], self.row["key"])

    def delete(self, found):
        """All of this name: 1.10 may have several connections of one."""
        if found is not None:
            for one in self.session.query(self.model).filter(getattr(self.model, self.key()) == getattr(found, self.key())):
                self.session.delete(one)
            self.session.commit()

    def matches(self, found, option, value):
        if option in self.row["secrets"]:
            return readable(found, self.row["attributes"][option]) == value
        stored = getattr(found, self.row["attributes"][option], None)
        if not stored or not value:
            return False
        try:
            return bool(load(self.row["hashed"][option] + ":check_password_hash")(stored, value))
        except ValueError:  # what is stored is no hash of this kind
            return False

    def judge(self, key, values):
        if values is None:
            return None
        same = self.session.query(self.model).filter(getattr(self.model, self.key()) == key).count()
        if same > 1:
            return f"there are {same} of the name {key}, and Airflow takes any of them: remove them all with state=absent first"
        for option in self.row["related"]:
            missing = set(values.get(option) or ()) - {one.name for one in self.related(option, values.get(option))}
            if missing:
                model = load(self.row["related"][option])
                there = sorted(name for (name,) in self.session.query(model.name))
                return f"there are no {option} {', '.join(sorted(missing))}; there are: {', '.join(there)}"
        for option in self.row["unique"]:
            other = self.find(option, values[option]) if values.get(option) else None
            if other is not None and getattr(other, self.row["key"]) != key:
                return f"the {option} {values[option]} belongs to {getattr(other, self.row['key'])} already"
        return None


class SimpleUsers:
    """The users of Airflow 3's simple auth manager: names and roles in a setting, passwords in a file of their own.

    The setting is read when Airflow starts, the file at every log-in. Each is replaced whole: a broken one would be an error at every log-in.
    """

    SETTING = "simple_auth_manager_users"
    VARIABLE = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
    ROLES = ("viewer", "user", "op", "admin")
    config_file = ""

    def __init__(self, session, row):
        self.session = session
        self.conf = importlib.import_module("airflow.configuration").conf
        manager = load("airflow.api_fastapi.auth.managers.simple.simple_auth_manager:SimpleAuthManager")
        self.password_file = manager.get_generated_password_file()

    def exists(self):
        return True

    def all(self):
        return [self.tell(found) for found in self.users().values()]

    def users(self):
        """name -> [name, role, teams where there are any]"""
        told = (self.conf.get("core", self.SETTING, fallback="") or "").split(",")
        return {words[0]: words for words in (one.strip().split(":") for one in told) if words[0]}

    def passwords(self):
        try:
            with open(self.password_file, encoding="utf-8") as file:
                return json.loads(file.read().strip() or "{}")
        except FileNotFoundError:
            return {}

    def find(self, name, value):
        return self.users().get(value)

    def tell(self, found):
        return found and {"username": found[0], "roles": [found[1].capitalize()]}

    def create(self, values):
        return self.set([values["username"], ""], values)

    def set(self, found, values):
        if "password" in values:
            replace(self.password_file, json.dumps(dict(self.passwords(), **{found[0]: values["password"]})) + "\n", 0o600)
        if "roles" in values:
            found = [found[0], values["roles"][0].lower(), *found[2:]]
            self.keep(dict(self.users(), **{found[0]: found}))
        return self.tell(found)

    def delete(self, found):
        if found is not None:
            self.keep({name: words for name, words in self.users().items() if name != found[0]})
            left = {name: password for name, password in self.passwords().items() if name != found[0]}
            replace(self.password_file, json.dumps(left) + "\n", 0o600)

    def matches(self, found, option, value):
        return self.passwords().get(found[0]) == value

    def judge(self, key, values):
        if by_default(self.session, self.config_file):
            return (
                "the settings name no auth manager, which means the simple one, but the database has users of FAB's: "
                "set airflow_env_file, or airflow_home, as the service has it"
            )
        found = self.users().get(key)
        roles = sorted({role.lower() for role in values.get("roles") or ()}) if values else []
        if values and values.get("roles") is not None and (len(roles) != 1 or roles[0] not in self.ROLES):
            return f"the simple auth manager gives each user exactly one role of {', '.join(self.ROLES)}, not {', '.join(roles) or 'none'}"
        if any(mark in key for mark in ",:"):
            return f"the simple auth manager cannot have a user {key}: comma and colon part the names in its setting"
        if values is None or found is None or (roles and roles != [found[1]]):
            if self.VARIABLE in os.environ:
                return f"{self.VARIABLE} is set in Airflow's environment and wins over airflow.cfg: change the users and roles there"
            if not os.path.exists(self.config_file):
                return f"there is no {self.config_file} to write the users to"
        return None

    def keep(self, users):
        """The one line of airflow.cfg; everything else in it stays as it is."""
        line = f"{self.SETTING} = {','.join(':'.join(words) for words in users.values())}\n"
        with open(self.config_file, encoding="utf-8") as file:
            lines = file.readlines()
        section, place = "", None
        for number, text in enumerate(lines):
            if text.startswith("["):
                section = text.strip()
                place = number + 1 if section == "[core]" else place
            elif section == "[core]" and text.partition("=")[0].strip() == self.SETTING:
                lines[number : number + 1] = [line]
                break
        else:
            lines[place if place is not None else 0 : place or 0] = [line] if place is not None else ["[core]\n", line]
        replace(self.config_file, "".join(lines), 0o600)
        self.conf.set("core", self.SETTING, line.partition("=")[2].strip())


def replace(path, text, mode):
    there = os.stat(path) if os.path.exists(path) else None
    handle, new = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(new, there.st_mode & 0o7777 if there else mode)
    if there and os.geteuid() == 0:
        os.chown(new, there.st_uid, there.st_gid)
    os.replace(new, path)


def by_default(session, config_file):
    """Whether nobody has chosen this auth manager, and the database has users of another: then settings are missing, not users."""
    from sqlalchemy import inspect, text

    if "AIRFLOW__CORE__AUTH_MANAGER" in os.environ or "ab_user" not in inspect(session.get_bind()).get_table_names():
        return False
    if os.path.exists(config_file):
        with open(config_file, encoding="utf-8") as file:
            if any(line.partition("=")[0].strip() == "auth_manager" for line in file):
                return False
    return bool(session.execute(text("select count(*) from ab_user")).scalar())


def answer(session, asked):
    table = {"Table": Table, "SimpleUsers": SimpleUsers}[asked["row"]["home"]](session, asked["row"])
    operation = asked["op"]
    if operation == "open":
        return table.exists()
    if operation == "list":
        return table.all()
    if operation == "create":
        return table.create(asked["values"])
    if operation == "judge":
        return table.judge(asked["key"], asked["values"])
    found = table.find(asked["row"]["key"], asked["key"])
    if operation == "read":
        return table.tell(found)
    if operation == "update":
        return table.set(found, asked["values"])
    if operation == "delete":
        return table.delete(found)
    return table.matches(found, asked["name"], asked["value"])


def in_words(exc):
    """``orig`` is the database driver's own error; SQLAlchemy's text around it would show the statement's values."""
    orig = getattr(exc, "orig", None)
    if type(exc).__name__ == InvalidToken.__name__:
        return "it was encrypted with another fernet_key than that of these settings: set airflow_env_file, or airflow_home, as the service has it"
    if orig is not None:
        return f"{type(exc).__name__}: {orig}"
    if type(exc).__module__.startswith("sqlalchemy"):
        return type(exc).__name__
    return f"{type(exc).__name__}: {exc}"


def main():
    # Airflow logs to standard output too: it gets standard error instead, and the answers keep the pipe for themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    sys.path[:] = [entry for entry in sys.path if entry]  # nothing is imported from the current folder

    def say(body):
        answers.write(json.dumps(body) + "\n")
        answers.flush()

    try:
        line = sys.stdin.readline()
        if not line:
            raise EOFError("nothing comes in by its standard input; docker exec and kubectl exec want -i for that")
        said = hello(json.loads(line))
    except BaseException as exc:  # noqa: BLE001 -- Airflow ends the process on a bad configuration; whatever it was, it is told
        said = {"error": in_words(exc), "missing": getattr(exc, "name", None) if isinstance(exc, ImportError) else None}
    say(said)
    if "version" in said:
        session = importlib.import_module("airflow.settings").Session()
        for line in iter(sys.stdin.readline, ""):
            try:
                said = {"result": answer(session, json.loads(line))}
            except Exception as exc:  # noqa: BLE001 -- each question gets its answer
                session.rollback()
                said = {"error": in_words(exc)}
            say(said)
    answers.close()
    os._exit(0)  # without the noise of Airflow's teardown


if __name__ == "__main__":
    main()
