/* Lines of /proc/PID/cgroup as systemd and the container runtimes leave them, of either version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "harness/base/control_group.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHORT_ID "0123456789ab"
#define OTHER_ID "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void assert_parsed(const char *lines, enum group_kind kind, const char *name) {
    struct control_group group;
    control_group_parse(lines, &group);
    assert_int_equal(group.kind, kind);
    if (kind != GROUP_NONE)
        assert_string_equal(group.name, name);
}

static void a_unit_is_the_innermost_service(void **state) {
    (void)state;
    assert_parsed("0::/system.slice/redis-server.service\n", GROUP_UNIT, "redis-server.service");
    assert_parsed("0::/system.slice/system-postgresql.slice/postgresql@15-main.service", GROUP_UNIT,
                  "postgresql@15-main.service");
    assert_parsed("0::/system.slice/agent.service/child", GROUP_UNIT, "agent.service");
}

static void units_below_a_user_s_systemd_are_that_user_s(void **state) {
    (void)state;
    assert_parsed("0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n",
                  GROUP_USER_UNIT, "web.service");
}

static void what_a_person_started_is_of_no_unit(void **state) {
    (void)state;
    assert_parsed("0::/user.slice/user-1000.slice/session-3.scope\n", GROUP_NONE, "");
    assert_parsed("0::/user.slice/user-1000.slice/user@1000.service/app.slice/term-12.scope\n",
                  GROUP_NONE, "");
    assert_parsed("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", GROUP_NONE, "");
    assert_parsed("0::/init.scope\n", GROUP_NONE, "");
    assert_parsed("0::/\n", GROUP_NONE, "");
    assert_parsed("", GROUP_NONE, "");
}

static void containers_are_known_by_their_runtime(void **state) {
    (void)state;
    assert_parsed("0::/system.slice/docker-" ID ".scope\n", GROUP_DOCKER, SHORT_ID);
    assert_parsed("0::/docker/" ID "\n", GROUP_DOCKER, SHORT_ID);
    assert_parsed("0::/../docker/" ID "/init.scope\n", GROUP_DOCKER, SHORT_ID);
    assert_parsed("0::/machine.slice/libpod-" ID ".scope/container\n", GROUP_PODMAN, SHORT_ID);
    assert_parsed("0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
                  ".scope/container\n",
                  GROUP_PODMAN, SHORT_ID);
    assert_parsed("0::/system.slice/nerdctl-" ID ".scope\n", GROUP_NERDCTL, SHORT_ID);
    assert_parsed("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/"
                  "cri-containerd-" ID ".scope\n",
                  GROUP_KUBERNETES, SHORT_ID);
    assert_parsed("0::/kubepods/besteffort/pod1/" ID "\n", GROUP_KUBERNETES, SHORT_ID);
}

static void a_service_in_a_container_is_the_container_s(void **state) {
    (void)state;
    assert_parsed("0::/system.slice/docker-" ID ".scope/system.slice/nginx.service\n", GROUP_DOCKER,
                  SHORT_ID);
    assert_parsed("0::/docker/" ID "/kubelet.slice/kubelet.service/" OTHER_ID "\n", GROUP_DOCKER,
                  SHORT_ID);
}

static void of_the_first_version_any_line_may_name_it(void **state) {
    (void)state;
    assert_parsed("12:pids:/docker/" ID "\n1:name=systemd:/docker/" ID "\n0::/system.slice/"
                  "containerd.service\n",
                  GROUP_DOCKER, SHORT_ID);
    assert_parsed("0::/system.slice/containerd.service\n12:pids:/docker/" ID "\n", GROUP_DOCKER,
                  SHORT_ID);
    assert_parsed("5:memory:/\n1:name=systemd:/system.slice/redis-server.service\n", GROUP_UNIT,
                  "redis-server.service");
}

static void what_only_looks_like_one_is_none(void **state) {
    (void)state;
    assert_parsed("0::/docker/0123\n", GROUP_NONE, "");
    assert_parsed("0::/docker/" ID "x\n", GROUP_NONE, "");
    assert_parsed("0::/elsewhere/" ID "\n", GROUP_NONE, "");
    assert_parsed("0::/system.slice/.service\n", GROUP_NONE, "");
    assert_parsed("redis.service\n", GROUP_NONE, "");
    assert_parsed(":\n::\n", GROUP_NONE, "");
}

static void a_long_name_is_cut(void **state) {
    (void)state;
    char lines[400] = "0::/system.slice/";
    struct control_group group;
    memset(lines + strlen(lines), 'x', 300);
    strcpy(lines + 317, ".service");
    control_group_parse(lines, &group);
    assert_int_equal(group.kind, GROUP_UNIT);
    assert_int_equal(strlen(group.name), GROUP_NAME_SIZE - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_unit_is_the_innermost_service),
        cmocka_unit_test(units_below_a_user_s_systemd_are_that_user_s),
        cmocka_unit_test(what_a_person_started_is_of_no_unit),
        cmocka_unit_test(containers_are_known_by_their_runtime),
        cmocka_unit_test(a_service_in_a_container_is_the_container_s),
        cmocka_unit_test(of_the_first_version_any_line_may_name_it),
        cmocka_unit_test(what_only_looks_like_one_is_none),
        cmocka_unit_test(a_long_name_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
