/* The program that one publisher of a storm is. */
#ifndef PORTWITNESS_STORM_PUBLISHER_PROCESS_H
#define PORTWITNESS_STORM_PUBLISHER_PROCESS_H

/* The life of a publisher process: `argv` as of publisher_arguments. Its exit status. */
int publisher_main(int argc, char **argv);

/* The hidden first argument of `portwitness storm`, with the descriptors of the shared state and of
 * the event that ends a round, and the publisher's index behind it. */
#define PUBLISHER_ARGUMENT "--as-publisher"

#endif
