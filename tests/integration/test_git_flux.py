"""What Flux does beside applying: marks on objects, namespaces, suspended things, health and events."""
import json
import os

from test_git import GitTestCase, condition, config_map, kustomization, source
from cluster import wait_for, WAIT_TIMEOUT

FLUX = "kustomize.toolkit.fluxcd.io"


def marked(name, value, mark):
    return (f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default, "
            f"annotations: {{{FLUX}/{mark}}}}}\nimmutable: {'true' if 'force' in mark else 'false'}\n"
            f"data: {{value: '{value}'}}\n---\n")


class FluxTestCase(GitTestCase):
    def followed(self, name, files, **spec):
        """A repository with these files, its GitRepository and a Kustomization of it."""
        repository = self.repository(name)
        self.push(repository, files)
        self.apply(source(name, f"file://{repository.folder}"))
        self.apply(kustomization(name, name, **spec))
        return repository

    def push(self, repository, files):
        for path, text in files.items():
            repository.write(path, text)
        return repository.commit()

    def ready(self, name, commit=""):
        return self.server.wait_for_object(
            "kustomization", name, condition=lambda k: condition(k)["status"] == "True" and
            k["status"].get("lastAppliedRevision", "").endswith(commit))

    def failed(self, name, reason):
        return condition(self.server.wait_for_object("kustomization", name,
                                                     condition=lambda k: condition(k)["reason"] == reason))["message"]

    def events(self, kind, name):
        shown = self.server.kubectl("get", "events", "-o", "json", "--field-selector",
                                    f"involvedObject.kind={kind},involvedObject.name={name}")
        return {(event["reason"], event["message"]): event["metadata"].get("annotations", {})
                for event in json.loads(shown)["items"]}

    def wait_for_event(self, kind, name, reason, text):
        found = []

        def find():
            found[:] = [(message, notes) for (why, message), notes in self.events(kind, name).items()
                        if why == reason and text in message]
            return found
        wait_for(find, WAIT_TIMEOUT, f"an event {reason} of {kind} {name} that says {text}")
        return found[0]


class Placing(FluxTestCase):
    def test_an_object_must_say_in_which_namespace_it_belongs(self):
        self.followed("placeless", {"apps/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: placeless}\n"})
        self.assertIn("ConfigMap/placeless dry-run failed: metadata.namespace: not specified",
                      self.failed("placeless", "ReconciliationFailed"))
        self.assertIsNone(self.server.object("configmap", "placeless"))
        self.assertEqual(self.server.object("kustomization", "placeless")["status"]["inventory"], {"entries": []})


class Marks(FluxTestCase):
    def test_an_object_may_ask_to_be_made_again(self):
        repository = self.followed("forced", {"apps/a.yaml": marked("forced", "1", "force: enabled")})
        self.ready("forced")
        commit = self.push(repository, {"apps/a.yaml": marked("forced", "2", "force: enabled")})
        self.ask("gitrepository", "forced")
        self.ready("forced", commit)
        self.assertEqual(self.server.object("configmap", "forced")["data"], {"value": "2"})

    def test_what_cannot_be_changed_is_made_again_and_what_is_invalid_stays(self):
        def binding(role):
            return ("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
                    "metadata: {name: remade, namespace: default}\n"
                    f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}\n---\n")

        def workload(service, label):
            return ("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: remade, namespace: default}\n"
                    f"spec: {{serviceName: {service}, selector: {{matchLabels: {{a: b}}}}, template: "
                    f"{{metadata: {{labels: {{a: {label}}}}}, spec: {{containers: [{{name: a, image: a}}]}}}}}}\n---\n")

        def definition(version):
            return ("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
                    "metadata: {name: remades.ex.io}\nspec:\n  group: ex.io\n  scope: Namespaced\n"
                    "  names: {plural: remades, singular: remade, kind: Remade}\n"
                    f"  versions: [{{name: {version}, served: true, storage: true, "
                    "schema: {openAPIV3Schema: {type: object}}}]\n")

        repository = self.followed("remade", {"apps/a.yaml": binding("view") + workload("one", "b"),
                                              "apps/b.yaml": definition("v1")}, force="true")
        self.ready("remade")
        commit = self.push(repository, {"apps/a.yaml": binding("edit") + workload("two", "b")})
        self.ask("gitrepository", "remade")
        self.ready("remade", commit)
        self.assertEqual(self.server.object("rolebinding", "remade")["roleRef"]["name"], "edit")
        before = self.server.object("statefulset", "remade")
        self.assertEqual(before["spec"]["serviceName"], "two")

        self.push(repository, {"apps/a.yaml": binding("edit") + workload("three", "other")})
        self.ask("gitrepository", "remade")
        self.assertIn("`selector` does not match template `labels`", self.failed("remade", "ReconciliationFailed"))
        self.assertEqual(self.server.object("statefulset", "remade")["metadata"]["uid"], before["metadata"]["uid"])
        # All objects of a kind would go with its definition.
        self.push(repository, {"apps/a.yaml": binding("edit"), "apps/b.yaml": definition("v2")})
        self.ask("gitrepository", "remade")
        self.server.wait_for_object("kustomization", "remade", condition=lambda k: "storedVersions" in
                                    condition(k)["message"])
        self.assertEqual(self.server.object("crd", "remades.ex.io")["spec"]["versions"][0]["name"], "v1")

    def test_what_others_own_stays_where_an_object_says_so(self):
        self.followed("merged", {"apps/a.yaml": marked("merged", "1", "ssa: Merge") + config_map("unmerged", "1")})
        self.ready("merged")
        for name in ("merged", "unmerged"):
            self.server.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-",
                                stdin=config_map(name, "1").replace("\ndata: {", "\ndata: {more: 'by hand', "))
        self.ask("kustomization", "merged")
        self.server.wait_for_object("configmap", "unmerged", condition=lambda c: c["data"] == {"value": "1"})
        self.assertEqual(self.server.object("configmap", "merged")["data"], {"more": "by hand", "value": "1"})

    def test_what_is_left_alone_is_not_waited_for(self):
        deployment = ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: alone, namespace: default, annotations: "
                      f"{{{FLUX}/reconcile: disabled}}}}\nspec: {{selector: {{matchLabels: {{a: b}}}}, template: "
                      "{metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}\n")
        self.apply(deployment)
        self.followed("alone", {"apps/a.yaml": deployment}, wait="true")
        found = self.ready("alone")
        self.assertEqual(len(found["status"]["inventory"]["entries"]), 1)


class Waits(FluxTestCase):
    def test_a_job_that_vanished_as_it_was_to_is_done(self):
        def job(name, more=""):
            return (f"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, namespace: default}}\nspec: {{{more}"
                    "template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n---\n")

        self.followed("vanished", {"apps/a.yaml": job("vanishing", "ttlSecondsAfterFinished: 0, ") + job("staying")},
                      wait="true")
        for name in ("vanishing", "staying"):
            self.server.wait_for_object("job", name)
            self.server.kubectl("delete", "job", name)
        message = "Running health checks: Job/default/staying status: 'NotFound'"
        self.server.wait_for_object("kustomization", "vanished", condition=lambda k: condition(k)["message"] == message)

        self.followed("checked", {"apps/a.yaml": job("vanishing", "ttlSecondsAfterFinished: 0, ")},
                      healthChecks="[{apiVersion: batch/v1, kind: Job, name: vanishing, namespace: default}]")
        self.server.wait_for_object("job", "vanishing")
        self.server.kubectl("delete", "job", "vanishing")
        self.ready("checked")


class Builds(FluxTestCase):
    def test_an_object_stands_once(self):
        self.followed("twice", {"apps/a.yaml": config_map("twice", "1"), "apps/b.yaml": config_map("twice", "2")})
        self.assertIn("apps/b.yaml: may not add resource with an already registered id: ConfigMap/default/twice",
                      self.failed("twice", "BuildFailed"))

    def test_words_for_yes_and_no_are_texts(self):
        self.followed("words", {"apps/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words, namespace: "
                                               "default}\ndata: {enabled: yes, y: off}\n"})
        self.ready("words")
        self.assertEqual(self.server.object("configmap", "words")["data"], {"enabled": "yes", "y": "off"})

    def test_bindings_follow_their_accounts_into_the_target_namespace(self):
        self.server.kubectl("create", "namespace", "moved-into")
        self.followed("moved", {"apps/a.yaml": (
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner}\n---\n"
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: runner}\n"
            "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n"
            "subjects: [{kind: ServiceAccount, name: runner, namespace: default}]\n")}, targetNamespace="moved-into")
        self.ready("moved")
        binding = self.server.object("rolebinding", "runner", "-n", "moved-into")
        self.assertEqual(binding["subjects"], [{"kind": "ServiceAccount", "name": "runner", "namespace": "moved-into"}])

    def test_an_object_that_is_refused_says_for_what_reason(self):
        self.followed("refused", {"apps/a.yaml": config_map("refused", "1").replace("namespace: default",
                                                                                   "namespace: nosuch")})
        self.assertEqual(self.failed("refused", "ReconciliationFailed"),
                         'ConfigMap/nosuch/refused not found: namespaces "nosuch" not found')
        self.followed("invalid", {"apps/a.yaml": config_map("In_Valid", "1")})
        self.assertTrue(self.failed("invalid", "ReconciliationFailed").startswith(
            'ConfigMap/default/In_Valid dry-run failed (Invalid): ConfigMap "In_Valid" is invalid: metadata.name'))


class Suspended(FluxTestCase):
    def test_what_is_suspended_stays_ready_and_answers(self):
        self.followed("idle", {"apps/a.yaml": config_map("idle", "1"), "more/b.yaml": config_map("idle-more", "1")})
        self.ready("idle")
        for kind in ("gitrepository", "kustomization"):
            self.server.kubectl("patch", kind, "idle", "--type=merge", "-p", '{"spec":{"suspend":true}}')
            self.server.kubectl("annotate", kind, "idle", "reconcile.fluxcd.io/requestedAt=now")
            found = self.server.wait_for_object(kind, "idle",
                                                condition=lambda o: o["status"].get("lastHandledReconcileAt") == "now")
            self.assertEqual(found["status"]["observedGeneration"], found["metadata"]["generation"])
        # Who depends on it goes on.
        self.apply(kustomization("idle-more", "idle", path="./more", dependsOn="[{name: idle}]"))
        self.ready("idle-more")

    def test_a_generation_that_failed_is_not_observed(self):
        self.followed("unseen", {"apps/a.yaml": config_map("unseen", "1")}, path="./missing")
        self.failed("unseen", "ArtifactFailed")
        self.assertEqual(self.server.object("kustomization", "unseen")["status"]["observedGeneration"], -1)


class Sources(FluxTestCase):
    def test_an_empty_repository_and_a_branch_that_is_none_say_so(self):
        empty = self.repository("hollow")
        self.apply(source("hollow", f"file://{empty.folder}"))
        found = self.server.wait_for_object("gitrepository", "hollow",
                                            condition=lambda o: condition(o)["reason"] == "EmptyGitRepository")
        self.assertEqual(condition(found)["message"], "git repository is empty")
        commit = self.push(self.repository("pinned"), {"apps/a.yaml": config_map("pinned", "1")})
        self.apply(source("pinned", f"file://{self.folder}/pinned").replace(
            "{branch: main}", f"{{branch: nosuch, commit: '{commit}'}}"))
        found = self.server.wait_for_object("gitrepository", "pinned",
                                            condition=lambda o: condition(o)["reason"] == "GitOperationFailed")
        self.assertIn('couldn\'t find remote ref "refs/heads/nosuch"', condition(found)["message"])

    def test_a_mirror_that_cannot_be_opened_says_so_and_is_kept(self):
        repository = self.followed("locked", {"apps/a.yaml": config_map("locked", "1")})
        commit = self.ready("locked")["status"]["lastAppliedRevision"]
        head = os.path.join(self.server.data_dir, "server", "git", "default", "locked.git", "HEAD")
        os.rename(head, head + ".kept")
        os.symlink("HEAD", head)
        self.push(repository, {"apps/a.yaml": config_map("locked", "2")})
        self.ask("gitrepository", "locked")
        found = self.server.wait_for_object("gitrepository", "locked",
                                            condition=lambda o: condition(o)["status"] == "False")
        self.assertEqual(condition(found)["reason"], "GitOperationFailed")
        self.assertEqual(found["status"]["artifact"]["revision"], commit)
        os.rename(head + ".kept", head)
        self.server.wait_for_object("configmap", "locked", condition=lambda c: c["data"] == {"value": "2"})


class Deletion(FluxTestCase):
    def test_deleted_objects_are_awaited_where_asked_for(self):
        self.followed("awaited", {"apps/a.yaml": config_map("awaited", "1")}, deletionPolicy="WaitForTermination")
        self.ready("awaited")
        finalizers = '{"metadata":{"finalizers":%s}}'
        self.server.kubectl("patch", "configmap", "awaited", "--type=merge", "-p", finalizers % '["example.com/hold"]')
        self.server.kubectl("delete", "kustomization", "awaited", "--wait=false")
        self.server.wait_for_object("configmap", "awaited", condition=lambda c: c["metadata"].get("deletionTimestamp"))
        self.wait_for_event("Kustomization", "awaited", "ReconciliationSucceeded", "ConfigMap/default/awaited deleted")
        self.assertIsNotNone(self.server.object("kustomization", "awaited"))
        self.server.kubectl("patch", "configmap", "awaited", "--type=merge", "-p", finalizers % "null")
        self.server.wait_until_gone("kustomization", "awaited")


    def test_objects_at_a_version_that_is_not_served_any_more_are_pruned(self):
        def definition(old_served):
            versions = "".join(
                f"  - {{name: {name}, served: {served}, storage: {storage}, schema: {{openAPIV3Schema: "
                "{type: object, x-kubernetes-preserve-unknown-fields: true}}}\n"
                for name, served, storage in (("v1", "true", "true"), ("v1alpha1", old_served, "false")))
            return ("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
                    "metadata: {name: relics.ex.io}\nspec:\n  group: ex.io\n  scope: Namespaced\n"
                    f"  names: {{plural: relics, singular: relic, kind: Relic}}\n  versions:\n{versions}")

        def relic(name):
            return f"apiVersion: ex.io/v1alpha1\nkind: Relic\nmetadata: {{name: {name}, namespace: default}}\n---\n"

        repository = self.followed("relics", {"apps/definition.yaml": definition("true"),
                                              "apps/relics.yaml": relic("old-a") + relic("old-b"),
                                              "apps/kept.yaml": config_map("relics", "1")})
        self.ready("relics")
        commit = self.push(repository, {"apps/definition.yaml": definition("false"), "apps/relics.yaml": ""})
        self.ask("gitrepository", "relics")
        found = self.ready("relics", commit)
        self.server.wait_until_gone("relics.v1.ex.io", "old-a")
        self.server.wait_until_gone("relics.v1.ex.io", "old-b")
        self.assertEqual(len(found["status"]["inventory"]["entries"]), 2)


def namespace(name):
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n---\n"


class Guards(FluxTestCase):
    def test_a_namespace_that_was_there_before_stays(self):
        self.server.kubectl("create", "namespace", "found")
        repository = self.followed("spaces", {"apps/kept.yaml": config_map("kept", "1"),
                                              "apps/spaces.yaml": namespace("found") + namespace("made")})
        self.ready("spaces")
        self.assertEqual(self.server.object("namespace", "found")["metadata"]["annotations"][f"{FLUX}/prune"], "disabled")
        # The next round finds its own labels on it.
        commit = self.push(repository, {"apps/kept.yaml": config_map("kept", "2")})
        self.ask("gitrepository", "spaces")
        self.ready("spaces", commit)
        commit = self.push(repository, {"apps/spaces.yaml": ""})
        self.ask("gitrepository", "spaces")
        self.ready("spaces", commit)
        self.server.wait_until_gone("namespace", "made")
        self.assertNotIn("deletionTimestamp", self.server.object("namespace", "found")["metadata"])

    def test_nothing_is_emptied_unasked(self):
        files = {"apps/a.yaml": config_map("last-a", "1"), "apps/b.yaml": config_map("last-b", "1")}
        repository = self.followed("emptied", files)
        self.ready("emptied")
        commit = self.push(repository, dict.fromkeys(files, ""))
        self.ask("gitrepository", "emptied")
        message = self.failed("emptied", "PruneFailed")
        confirmation = f"{FLUX}/prune-all=main@sha1:{commit}"
        self.assertIn("all 2 objects", message)
        self.assertTrue(message.endswith(confirmation), message)
        self.assertEqual(self.server.object("configmap", "last-a")["data"], {"value": "1"})
        self.assertEqual(len(self.server.object("kustomization", "emptied")["status"]["inventory"]["entries"]), 2)

        self.server.kubectl("annotate", "kustomization", "emptied", confirmation)
        self.ready("emptied", commit)
        self.server.wait_until_gone("configmap", "last-a")
        self.server.wait_until_gone("configmap", "last-b")


class Events(FluxTestCase):
    def test_events_tell_what_was_done_at_which_revision(self):
        files = {"apps/a.yaml": config_map("loud-a", "1"), "apps/b.yaml": config_map("loud-b", "1")}
        repository = self.followed("loud", files, wait="true")
        revision = self.ready("loud")["status"]["lastAppliedRevision"]
        _, notes = self.wait_for_event("GitRepository", "loud", "NewArtifact", "stored artifact for commit 'change'")
        self.assertEqual(notes["source.toolkit.fluxcd.io/revision"], revision)
        message, notes = self.wait_for_event("Kustomization", "loud", "Progressing", "created")
        self.assertEqual(message, "ConfigMap/default/loud-a created\nConfigMap/default/loud-b created")
        self.assertEqual(notes, {f"{FLUX}/revision": revision})
        self.wait_for_event("Kustomization", "loud", "Progressing", "Health check passed in ")
        message, notes = self.wait_for_event("Kustomization", "loud", "ReconciliationSucceeded",
                                             "Reconciliation finished in ")
        self.assertIn(", next run in 10m0s", message)
        self.assertEqual(notes, {f"{FLUX}/revision": revision, f"{FLUX}/commit_status": "update"})
        # That its source was not there yet is told by its status only.
        self.assertNotIn("ArtifactFailed", {reason for reason, _ in self.events("Kustomization", "loud")})

        repository.git("rm", "-q", "apps/b.yaml")
        self.push(repository, {"apps/a.yaml": config_map("loud-a", "2")})
        self.ask("gitrepository", "loud")
        self.wait_for_event("Kustomization", "loud", "Progressing", "ConfigMap/default/loud-a configured")
        self.wait_for_event("Kustomization", "loud", "Progressing", "ConfigMap/default/loud-b deleted")

    def test_a_dependency_that_is_awaited_is_told_of(self):
        self.followed("awaiting", {"apps/a.yaml": config_map("awaiting", "1")}, dependsOn="[{name: nosuch}]")
        self.failed("awaiting", "DependencyNotReady")
        self.wait_for_event("Kustomization", "awaiting", "DependencyNotReady",
                            "Dependencies do not meet ready condition, retrying in 30s")
