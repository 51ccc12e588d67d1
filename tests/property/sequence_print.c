/* A disagreement is shown in the words of `explain`, for people, and as a C program, for those who
 * do not believe it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/names.h"
#include "tests/property/sequence.h"

static const char *error_text(int error) {
    return error == 0 ? "ok" : name_of_error((unsigned)error);
}

static void print_call(const struct operation *operation) {
    char text[INET6_ADDRSTRLEN] = "";
    bool six = operation->address.family6;
    inet_ntop(six ? AF_INET6 : AF_INET, operation->address.bytes, text, sizeof text);
    switch (operation->kind) {
    case OPERATION_SOCKET:
        printf("    s[%u] = make(%u, %s, %s);\n", operation->socket, operation->uid,
               operation->family6 ? "AF_INET6" : "AF_INET",
               operation->datagram ? "SOCK_DGRAM" : "SOCK_STREAM");
        break;
    case OPERATION_BIND:
    case OPERATION_CONNECT:
        printf("    report(\"%s\", %s(s[%u], %s(\"%s\", %u)));\n",
               operation->kind == OPERATION_BIND ? "bind" : "connect",
               operation->kind == OPERATION_BIND ? "bind" : "connect", operation->socket,
               six ? "SIX" : "FOUR", text, operation->port);
        break;
    case OPERATION_LISTEN:
        printf("    report(\"listen\", listen(s[%u], 16));\n", operation->socket);
        break;
    case OPERATION_SHUTDOWN:
        printf("    report(\"shutdown\", shutdown(s[%u], SHUT_RDWR));\n", operation->socket);
        break;
    case OPERATION_CLOSE:
        printf("    report(\"close\", close(s[%u]));\n", operation->socket);
        break;
    case OPERATION_DISCONNECT:
        printf("    report(\"disconnect\", connect(s[%u], &(struct sockaddr){AF_UNSPEC}, "
               "sizeof(struct "
               "sockaddr)));\n",
               operation->socket);
        break;
    case OPERATION_REUSEADDR:
    case OPERATION_REUSEPORT:
    case OPERATION_V6ONLY:
    case OPERATION_NO_PORT:
    case OPERATION_PORTS: {
        static const char *const names[] = {
            [OPERATION_REUSEADDR] = "SOL_SOCKET, SO_REUSEADDR",
            [OPERATION_REUSEPORT] = "SOL_SOCKET, SO_REUSEPORT",
            [OPERATION_V6ONLY] = "IPPROTO_IPV6, IPV6_V6ONLY",
            [OPERATION_NO_PORT] = "IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT",
            [OPERATION_PORTS] = "IPPROTO_IP, 51 /* IP_LOCAL_PORT_RANGE */"};
        unsigned value = operation->kind == OPERATION_PORTS
                             ? (unsigned)operation->high << 16 | operation->low
                             : operation->value;
        printf("    report(\"option\", setsockopt(s[%u], %s, &(int){%u}, sizeof(int)));\n",
               operation->socket, names[operation->kind], value);
        break;
    }
    case OPERATION_DEVICE:
        printf(
            "    report(\"device\", setsockopt(s[%u], SOL_SOCKET, SO_BINDTODEVICE, \"%s\", %u));\n",
            operation->socket,
            operation->device == 0   ? ""
            : operation->device == 1 ? "dummy0"
                                     : "dummy1",
            operation->device == 0 ? 0U : 6U);
        break;
    default:
        printf("    /* %s %u to %u */\n",
               operation->kind == OPERATION_RANGE ? "ip_local_port_range"
                                                  : "ip_local_reserved_ports",
               operation->low, operation->high);
        break;
    }
}

void sequence_print(const struct sequence *sequence, const struct disagreement *disagreement) {
    char text[160];
    printf("# In the words of `portwitness explain`:\n");
    for (unsigned i = 0; i < sequence->count; i++) {
        const struct operation *operation = &sequence->list[i];
        if (operation->kind == OPERATION_SOCKET && operation->uid != 0)
            printf("#   s%u uid %u\n", operation->socket, operation->uid);
        printf("#   %s\n", operation_text(operation, NULL, text, sizeof text));
    }
    printf("# Operation %u: the kernel says %s, port %u; the model %s by %s", disagreement->at + 1,
           error_text(disagreement->error), disagreement->port,
           error_text(disagreement->answer.error), model_rule_name(disagreement->answer.rule));
    if (disagreement->answer.chooses) {
        printf(", port one of");
        for (size_t i = 0; i < disagreement->possible_count; i++)
            printf(" %u", disagreement->possible[i]);
    }
    printf(
        "\n/* As a C program, for a network namespace with dummy0 and dummy1: */\n"
        "#define _GNU_SOURCE\n#include <arpa/inet.h>\n#include <netinet/in.h>\n#include "
        "<stdio.h>\n#include <unistd.h>\n"
        "#define FOUR(text, port) (struct sockaddr *)&(struct sockaddr_in){AF_INET, htons(port), "
        "{inet_addr(text)}}, sizeof(struct sockaddr_in)\n"
        "static struct sockaddr_in6 six;\n"
        "static struct sockaddr *to_six(const char *text, int port) {\n"
        "    six = (struct sockaddr_in6){AF_INET6, htons(port)};\n"
        "    inet_pton(AF_INET6, text, &six.sin6_addr);\n    return (struct sockaddr *)&six;\n}\n"
        "#define SIX(text, port) to_six(text, port), sizeof six\n"
        "static void report(const char *call, int result) { if (result) perror(call); else "
        "puts(call); }\n"
        "static int make(unsigned uid, int family, int type) {\n    if (seteuid(uid)) return "
        "-1;\n"
        "    int fd = socket(family, type, 0);\n    return seteuid(0) ? -1 : fd;\n}\n"
        "int main(void) {\n    int s[4];\n");
    for (unsigned i = 0; i < sequence->count; i++)
        print_call(&sequence->list[i]);
    printf("}\n");
}
