/* The subcommands. Each takes its own arguments, its name being the first, and returns the exit
 * status of the program. */
#ifndef PORTWITNESS_CLI_COMMANDS_H
#define PORTWITNESS_CLI_COMMANDS_H

#define STATUS_USAGE 2

int run_command(int argc, char **argv);
int ports_command(int argc, char **argv);
int export_command(int argc, char **argv);
int plan_command(int argc, char **argv);
int storm_command(int argc, char **argv);
int mark_command(int argc, char **argv);
int check_command(int argc, char **argv);
int reserve_command(int argc, char **argv);
int stress_command(int argc, char **argv);
int explain_command(int argc, char **argv);

#endif
