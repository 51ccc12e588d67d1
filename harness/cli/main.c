/* One table of subcommands drives both dispatch and help. */
#include <stdio.h>
#include <string.h>

#include "harness/base/output.h"
#include "harness/cli/commands.h"
#include "harness/cli/version.h"

static const struct {
    const char *name;
    int (*function)(int argc, char **argv);
    const char *description;
} subcommands[] = {
    {"run", run_command, "Runs a command and records its port requests in a trace"},
    {"ports", ports_command, "Shows the requests in a trace and the ports assigned"},
    {"export", export_command, "Writes every record of a trace as JSON Lines"},
    {"check", check_command, "Finds port races and other trouble in traces"},
    {"mark", mark_command, "Writes the name of a test into the trace of its run"},
    {"reserve", reserve_command, "Keeps ports for a command's servers while it runs"},
    {"stress", stress_command, "Runs copies of a command under policies and compares them"},
    {"plan", plan_command, "Tells what becomes of a cluster file's port mappings"},
    {"storm", storm_command, "Simulates parallel port publishers and checks what they got"},
    {"explain", explain_command, "Tells what the kernel's rules say of a sequence of calls"},
};

static void show_usage(FILE *to) {
    fputs("Usage: portwitness COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n", to);
    for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
        fprintf(to, "  %-8s %s\n", subcommands[i].name, subcommands[i].description);
    fputs(
        "\nportwitness COMMAND --help tells of a command's options. --version shows the version.\n",
        to);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        show_usage(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        show_usage(stdout);
        return output_finish() ? 0 : 1;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("portwitness " PORTWITNESS_VERSION);
        return output_finish() ? 0 : 1;
    }
    for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return subcommands[i].function(argc - 1, argv + 1);
    fprintf(stderr, "portwitness: '%s' is no command; see portwitness --help\n", argv[1]);
    return STATUS_USAGE;
}
