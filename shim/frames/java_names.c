/*
 * Where a class was loaded from would tell more, but a virtual machine knows only its loader, which
 * is one for the user's classes and for those of his jars. The place stands in the class's
 * ProtectionDomain, and to ask for that is to run Java in the guest's thread. So it is names: those
 * of the class library, which nobody else may use (java.) or does, and of what is widely used.
 */
#include "shim/frames/java_names.h"

#include <stdbool.h>
#include <string.h>

struct package {
    const char *prefix;
    size_t length;
    enum pw_frame_of of;
};

/* Test runners, and what tests check and mock with. */
#define TESTS(prefix)                                                                              \
    { prefix, sizeof(prefix) - 1, PW_FRAME_FRAMEWORK }
#define LANGUAGE(prefix)                                                                           \
    { prefix, sizeof(prefix) - 1, PW_FRAME_LIBRARY }
#define INSTALLED(prefix)                                                                          \
    { prefix, sizeof(prefix) - 1, PW_FRAME_DEPENDENCY }

/* The first that matches counts. */
static const struct package packages[] = {
    LANGUAGE("java/"),
    LANGUAGE("jdk/"),
    LANGUAGE("sun/"),
    INSTALLED("javax/servlet/"),
    INSTALLED("javax/websocket/"),
    LANGUAGE("javax/"),
    INSTALLED("com/sun/jna/"),
    INSTALLED("com/sun/jersey/"),
    INSTALLED("com/sun/grizzly/"),
    LANGUAGE("com/sun/"),
    LANGUAGE("kotlin/"),
    LANGUAGE("kotlinx/coroutines/"),
    LANGUAGE("scala/"),
    LANGUAGE("groovy/lang/"),
    LANGUAGE("groovy/util/"),
    LANGUAGE("org/codehaus/groovy/"),
    LANGUAGE("org/apache/groovy/"),
    LANGUAGE("clojure/lang/"),
    LANGUAGE("clojure/core"),
    TESTS("org/junit/"),
    TESTS("junit/"),
    TESTS("org/testng/"),
    TESTS("org/apache/maven/"),
    TESTS("org/gradle/"),
    TESTS("worker/org/gradle/"),
    TESTS("com/intellij/rt/"),
    TESTS("org/eclipse/jdt/"),
    TESTS("org/hamcrest/"),
    TESTS("org/assertj/"),
    TESTS("org/opentest4j/"),
    TESTS("org/mockito/"),
    TESTS("org/spockframework/"),
    TESTS("spock/lang/"),
    TESTS("io/kotest/"),
    TESTS("io/cucumber/"),
    TESTS("org/scalatest/"),
    TESTS("munit/"),
    TESTS("sbt/"),
    TESTS("org/springframework/test/"),
    INSTALLED("org/springframework/"),
    INSTALLED("io/netty/"),
    INSTALLED("org/eclipse/jetty/"),
    INSTALLED("org/apache/tomcat/"),
    INSTALLED("org/apache/catalina/"),
    INSTALLED("org/apache/coyote/"),
    INSTALLED("org/apache/http/"),
    INSTALLED("org/apache/hc/"),
    INSTALLED("org/apache/commons/"),
    INSTALLED("org/apache/mina/"),
    INSTALLED("org/apache/sshd/"),
    INSTALLED("org/apache/ftpserver/"),
    INSTALLED("org/apache/kafka/"),
    INSTALLED("org/apache/zookeeper/"),
    INSTALLED("org/apache/curator/"),
    INSTALLED("org/apache/activemq/"),
    INSTALLED("org/apache/derby/"),
    INSTALLED("org/apache/logging/"),
    INSTALLED("org/apache/thrift/"),
    INSTALLED("org/glassfish/"),
    INSTALLED("org/xnio/"),
    INSTALLED("io/undertow/"),
    INSTALLED("io/vertx/"),
    INSTALLED("io/grpc/"),
    INSTALLED("io/micronaut/"),
    INSTALLED("io/quarkus/"),
    INSTALLED("io/ktor/"),
    INSTALLED("io/rsocket/"),
    INSTALLED("io/lettuce/"),
    INSTALLED("reactor/"),
    INSTALLED("akka/"),
    INSTALLED("okhttp3/"),
    INSTALLED("okio/"),
    INSTALLED("retrofit2/"),
    INSTALLED("mockwebserver3/"),
    INSTALLED("jakarta/"),
    INSTALLED("redis/clients/"),
    INSTALLED("redis/embedded/"),
    INSTALLED("com/github/tomakehurst/"),
    INSTALLED("com/github/dockerjava/"),
    INSTALLED("wiremock/"),
    INSTALLED("org/mockserver/"),
    INSTALLED("org/testcontainers/"),
    INSTALLED("com/icegreen/greenmail/"),
    INSTALLED("com/google/common/"),
    INSTALLED("com/zaxxer/hikari/"),
    INSTALLED("com/mysql/"),
    INSTALLED("com/mongodb/"),
    INSTALLED("org/postgresql/"),
    INSTALLED("org/h2/"),
    INSTALLED("org/hsqldb/"),
    INSTALLED("org/elasticsearch/"),
    INSTALLED("org/littleshoot/"),
    INSTALLED("com/jcraft/jsch/"),
    INSTALLED("net/schmizz/"),
    INSTALLED("fi/iki/elonen/"),
};

/* Made at run time, without a source: a hidden class (which has a dot and a number behind its
 * name), a lambda's, a proxy of the class library or of one that makes them. */
static bool is_generated(const char *name) {
    static const char *const marks[] = {"$$Lambda",      "$$EnhancerBy",  "$$FastClass",
                                        "$$SpringCGLIB", "$MockitoMock$", "/$Proxy",
                                        "$$FastInvoker"};
    if (strpbrk(name, "$.") == NULL)
        return false;
    for (unsigned i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strstr(name, marks[i]) != NULL)
            return true;
    return strncmp(name, "$Proxy", strlen("$Proxy")) == 0 || strchr(name, '.') != NULL;
}

static const char *class_name(const char *signature) { return signature + (*signature == 'L'); }

enum pw_frame_of java_owner(const char *signature) {
    const char *name = class_name(signature);
    if (is_generated(name))
        return PW_FRAME_LIBRARY;
    for (unsigned i = 0; i < sizeof packages / sizeof *packages; i++)
        if (name[0] == packages[i].prefix[0] &&
            strncmp(name, packages[i].prefix, packages[i].length) == 0)
            return packages[i].of;
    return PW_FRAME_USER;
}

static size_t append(char *text, size_t size, size_t used, const char *more, size_t length) {
    size_t room = size - 1 - used;
    if (length > room)
        length = room;
    memcpy(text + used, more, length);
    text[used + length] = '\0';
    return used + length;
}

void java_function(char *text, size_t size, const char *signature, const char *method) {
    const char *name = class_name(signature);
    const char *lambda = strstr(name, "$$Lambda");
    size_t length =
        lambda != NULL ? (size_t)(lambda - name) + strlen("$$Lambda") : strcspn(name, ".;");
    size_t used = append(text, size, 0, name, length);
    for (size_t i = 0; i < used; i++)
        if (text[i] == '/')
            text[i] = '.';
    used = append(text, size, used, ".", 1);
    append(text, size, used, method, strlen(method));
}

void java_file(char *text, size_t size, const char *signature, const char *source) {
    const char *name = class_name(signature);
    const char *slash = strrchr(name, '/');
    size_t used = 0;
    text[0] = '\0';
    if (source == NULL || *source == '\0')
        return;
    if (slash != NULL)
        used = append(text, size, 0, name, (size_t)(slash - name) + 1);
    append(text, size, used, source, strlen(source));
}
