/* Whose code a frame of a Go program is, by its function and its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/capture/go_owner.h"

static const struct go_root plain = {"/usr/local/go/src/", true};
static const struct go_root trimmed = {"", true};
static const struct go_root unknown = {"", false};

#define IS(root, function, file, of) assert_int_equal(go_owner(&(root), function, file), of)

static void what_lies_below_the_root_is_gos_own(void **state) {
    (void)state;
    IS(plain, "net.Listen", "/usr/local/go/src/net/dial.go", PW_FRAME_LIBRARY);
    IS(plain, "net/http.(*Server).ListenAndServe", "/usr/local/go/src/net/http/server.go",
       PW_FRAME_LIBRARY);
    IS(plain, "vendor/golang.org/x/net/dns/dnsmessage.(*Parser).Start",
       "/usr/local/go/src/vendor/golang.org/x/net/dns/dnsmessage/message.go", PW_FRAME_LIBRARY);
    IS(plain, "main._Cfunc_bind", "_cgo_gotypes.go", PW_FRAME_LIBRARY);
    IS(unknown, "net/http.Serve", "/opt/go/src/net/http/server.go", PW_FRAME_LIBRARY);
    IS(unknown, "net/http.Serve", "/home/me/net/http/server.go", PW_FRAME_USER);
}

static void without_folders_the_package_decides(void **state) {
    (void)state;
    IS(trimmed, "net.Listen", "net/dial.go", PW_FRAME_LIBRARY);
    IS(trimmed, "internal/poll.(*FD).Accept", "internal/poll/fd_unix.go", PW_FRAME_LIBRARY);
    IS(trimmed, "main.main", "example.com/app/main.go", PW_FRAME_USER);
    IS(trimmed, "main.main", "./main.go", PW_FRAME_USER);
    IS(trimmed, "app/server.Run", "app/server/run.go", PW_FRAME_USER);
    IS(trimmed, "netpool.Take", "netpool/take.go", PW_FRAME_USER);
}

static void modules_of_others_are_dependencies(void **state) {
    (void)state;
    IS(plain, "github.com/phayes/freeport.GetFreePort",
       "/root/go/pkg/mod/github.com/phayes/freeport@v1.0.2/freeport.go", PW_FRAME_DEPENDENCY);
    IS(trimmed, "github.com/phayes/freeport.GetFreePort",
       "github.com/phayes/freeport@v1.0.2/freeport.go", PW_FRAME_DEPENDENCY);
    IS(plain, "gopkg.in/yaml.v3.Unmarshal", "/src/app/vendor/gopkg.in/yaml.v3/yaml.go",
       PW_FRAME_DEPENDENCY);
    IS(plain, "example.com/app/pkg.(*T).Method", "/src/app/pkg/t.go", PW_FRAME_USER);
    IS(plain, "main.main.func1", "/home/me@work/app/main.go", PW_FRAME_USER);
    IS(plain, "main.each[...]", "/src/app/main.go", PW_FRAME_USER);
}

static void what_runs_tests_is_a_framework(void **state) {
    (void)state;
    IS(plain, "testing.tRunner", "/usr/local/go/src/testing/testing.go", PW_FRAME_FRAMEWORK);
    IS(trimmed, "testing.(*T).Run", "testing/testing.go", PW_FRAME_FRAMEWORK);
    IS(plain, "main.main", "_testmain.go", PW_FRAME_FRAMEWORK);
    IS(plain, "github.com/onsi/ginkgo/v2/internal.(*Suite).runNode",
       "/root/go/pkg/mod/github.com/onsi/ginkgo/v2@v2.9.0/internal/suite.go", PW_FRAME_FRAMEWORK);
    IS(plain, "github.com/stretchr/testify/suite.Run",
       "/src/app/vendor/github.com/stretchr/testify/suite/suite.go", PW_FRAME_FRAMEWORK);
    IS(plain, "gotest.tools/v3/assert.Assert",
       "/root/go/pkg/mod/gotest.tools/v3@v3.4.0/assert/assert.go", PW_FRAME_FRAMEWORK);
    IS(plain, "gopkg.in/check.v1.(*suiteRunner).run",
       "/root/go/pkg/mod/gopkg.in/check.v1@v1.0.0/check.go", PW_FRAME_FRAMEWORK);
    IS(plain, "example.com/testing.Start", "/src/testing/start.go", PW_FRAME_USER);
}

static void tests_of_gos_own_packages_are_the_users(void **state) {
    (void)state;
    IS(plain, "net.TestDialer", "/usr/local/go/src/net/dial_test.go", PW_FRAME_USER);
    IS(plain, "testing_test.TestSetenv", "/usr/local/go/src/testing/testing_test.go",
       PW_FRAME_USER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_below_the_root_is_gos_own),
        cmocka_unit_test(without_folders_the_package_decides),
        cmocka_unit_test(modules_of_others_are_dependencies),
        cmocka_unit_test(what_runs_tests_is_a_framework),
        cmocka_unit_test(tests_of_gos_own_packages_are_the_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
