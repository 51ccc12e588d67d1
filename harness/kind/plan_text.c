/* A plan for people to read: a paragraph a mapping, since what is to be said of one fits no table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/names.h"
#include "harness/base/plain_text.h"
#include "harness/kind/plan.h"
#include "harness/kind/release_verdict.h"
#include "harness/kind/risk.h"

/* Text out of a file: characters that would disturb a terminal are shown as '?'. */
static void write_plain(const char *text, const char *kept) {
    while (*text != '\0') {
        size_t length = plain_text_character(text);
        if (plain_text_unsafe(text) > 0 && strchr(kept, *text) == NULL)
            putchar('?');
        else
            fwrite(text, 1, length, stdout);
        text += length;
    }
}

static void write_field(const char *name, const char *text) {
    printf("  %-9s ", name);
    write_plain(text, "");
    putchar('\n');
}

static void write_range(int32_t first, int32_t last) {
    printf("%d", first);
    if (first != last)
        printf("-%d", last);
}

static void write_heading(const struct plan *plan, const struct mapping *mapping) {
    const char *address = mapping_address(&plan->input, mapping);

    if (mapping->source == SOURCE_PUBLISH) {
        printf("-p number %zu: ", mapping->index + 1);
    } else {
        write_plain(plan->file, "");
        printf(":%zu:%zu: %s ", mapping->line, mapping->column,
               mapping->source == SOURCE_KIND ? "node" : "service");
        if (mapping->source == SOURCE_KIND)
            printf("%zu, ", mapping->node);
        write_plain(plan->input.nodes[mapping->node].name, "");
        fputs(": ", stdout);
    }
    fputs("container port ", stdout);
    write_range(mapping->container_port, mapping->container_port_last);
    putchar('/');
    write_plain(mapping_protocol(mapping), "");
    fputs(" on ", stdout);
    write_plain(address[0] != '\0' ? address : "all addresses", "");
    if (mapping->host_port > 0) {
        fputs(", host port ", stdout);
        write_range(mapping->host_port, mapping->host_port_last);
    }
    putchar('\n');
}

/* What is the same for all runtimes is said once. */
static void write_risks(const struct plan *plan, const struct mapping *mapping) {
    char *risks[RUNTIME_COUNT];
    bool same = true;

    for (unsigned i = 0; i < RUNTIME_COUNT; i++) {
        risks[i] = mapping_risk(&plan->input, mapping, &plan->release, (enum container_runtime)i,
                                &plan->facts);
        same =
            same && strcmp(risks[i] != NULL ? risks[i] : "", risks[0] != NULL ? risks[0] : "") == 0;
    }
    if (same)
        write_field("lost", risks[0] != NULL ? risks[0] : "no");
    else
        for (unsigned i = 0; i < RUNTIME_COUNT; i++) {
            printf("  %-9s %s: %s\n", "lost", container_runtime_name((enum container_runtime)i),
                   risks[i] != NULL ? risks[i] : "no, chosen and bound in one step and held");
        }
    for (unsigned i = 0; i < RUNTIME_COUNT; i++)
        free(risks[i]);
}

static void write_check(const struct plan *plan, size_t index) {
    const struct mapping *mapping = &plan->input.mappings[index];
    const struct port_check *check = &plan->checks[index];
    const char *error = name_of_error((unsigned)check->error);

    printf("  %-9s ", "now");
    if (check->freedom == PORT_FREE) {
        printf(mapping_fate(mapping) == FATE_FROM_RANGE ? "%d is free\n" : "free\n", check->port);
        return;
    }
    printf("port %d is %s (%s)", check->port,
           check->freedom == PORT_TAKEN ? "not available" : "perhaps free, but cannot be tested",
           error != NULL ? error : strerror(check->error));
    if (check->holder_count == 0 && check->error == EADDRINUSE)
        fputs("; its holder was not seen", stdout);
    for (unsigned i = 0; i < check->holder_count; i++) {
        const struct port_holder *holder = &check->holders[i];
        char text[LISTEN_ADDRESS_TEXT_SIZE];

        fputs(i == 0 ? ": " : ", ", stdout);
        if (holder->pid != 0) {
            printf("pid %u (", holder->pid);
            write_plain(holder->program, "");
            putchar(')');
        } else {
            printf("a socket of user %u", holder->uid);
        }
        printf(" on %s, %s", listen_address_text(text, &holder->address),
               port_state_name(holder->state, mapping_protocol(mapping)));
    }
    putchar('\n');
}

static void write_mapping(const struct plan *plan, size_t index) {
    const struct mapping *mapping = &plan->input.mappings[index];

    write_heading(plan, mapping);
    write_field("becomes", mapping_fate_words(mapping));
    for (unsigned i = 0; i < RUNTIME_COUNT; i++) {
        enum container_runtime runtime = (enum container_runtime)i;
        char *argument = publish_argument(&plan->input, mapping, runtime);

        write_field(container_runtime_name(runtime), argument);
        free(argument);
    }
    write_risks(plan, mapping);
    if (plan_is_checked(plan, index))
        write_check(plan, index);
    for (size_t i = 0; i < plan->warnings.count; i++) {
        const struct plan_warning *warning = &plan->warnings.list[i];

        if (warning->mapping != index)
            continue;
        write_field("warning", warning->text);
        write_field("fix", warning->fix);
    }
    putchar('\n');
}

void plan_text_write(const struct plan *plan) {
    char text[KIND_RELEASE_TEXT_SIZE];

    for (size_t i = 0; i < plan->input.count; i++)
        write_mapping(plan, i);
    printf("%zu mapping%s, %zu warning%s", plan->input.count, plural(plan->input.count),
           plan->warnings.count, plural(plan->warnings.count));
    if (!plan->input.from_kind) {
        putchar('\n');
        return;
    }
    printf("; Kind %s %s", kind_release_text(text, &plan->release),
           plan->error != NULL ? "refuses the file:\n" : "takes the file");
    if (plan->error != NULL)
        write_plain(plan->error, "\n");
    putchar('\n');
}

/* An error of several lines as one. */
static void write_on_one_line(char *text) {
    for (char *at = text; (at = strchr(at, '\n')) != NULL;)
        *at = ' ';
    write_plain(text, "");
}

void plan_text_write_rules(const struct plan *plan) {
    for (size_t i = 0; i < kind_rule_count; i++) {
        const struct kind_rule *rule = &kind_rules[i];
        char *error = kind_verdict(&plan->input, &rule->last);
        char first[KIND_RELEASE_TEXT_SIZE];
        char last[KIND_RELEASE_TEXT_SIZE];
        char releases[2 * KIND_RELEASE_TEXT_SIZE + 8];

        kind_release_text(first, &rule->first);
        kind_release_text(last, &rule->last);
        if (i + 1 == kind_rule_count)
            snprintf(releases, sizeof releases, "from %s", first);
        else if (strcmp(first, last) == 0)
            snprintf(releases, sizeof releases, "%s", first);
        else
            snprintf(releases, sizeof releases, "%s to %s", first, last);
        printf("%-18s  %s", releases, error == NULL ? "accepts" : "refuses: ");
        if (error != NULL)
            write_on_one_line(error);
        putchar('\n');
        free(error);
    }
}
