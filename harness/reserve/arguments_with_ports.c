/* Programs take their port as an option, in a configuration or in the environment; the shell that
 * could put it there has not the number yet when it reads the command line. */
#include "harness/reserve/arguments_with_ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_DIGITS = 5 };

/* The index of the port that "{N}" at `text` stands for, with its length; -1 where it is not one.
 */
static int port_index(const char *text, const struct held_ports *held, size_t *length) {
    char *end;
    if (text[0] != '{' || text[1] < '1' || text[1] > '9')
        return -1;
    unsigned long number = strtoul(text + 1, &end, 10);
    if (*end != '}' || number > held->count)
        return -1;
    *length = (size_t)(end + 1 - text);
    return (int)number - 1;
}

static char *with_ports(const char *text, const struct held_ports *held) {
    /* No "{N}" is shorter than three bytes, and no number longer than five. */
    char *made = malloc(strlen(text) * 2 + PORT_DIGITS + 1);
    size_t used = 0;
    while (made != NULL && *text != '\0') {
        size_t length = 1;
        int index = port_index(text, held, &length);
        if (index < 0)
            made[used++] = *text;
        else
            used += (size_t)sprintf(made + used, "%u", (unsigned)held->ports[index]);
        text += length;
    }
    if (made != NULL)
        made[used] = '\0';
    return made;
}

char **arguments_with_ports(char *const arguments[], const struct held_ports *held) {
    size_t count = 0;
    while (arguments[count] != NULL)
        count++;
    char **made = calloc(count + 1, sizeof *made);
    for (size_t i = 0; made != NULL && i < count; i++) {
        made[i] = with_ports(arguments[i], held);
        if (made[i] == NULL) {
            arguments_with_ports_free(made);
            return NULL;
        }
    }
    return made;
}

bool environment_with_ports(const struct held_ports *held) {
    char name[64];
    char value[16];
    for (size_t i = 0; i < HELD_PORTS_MAX; i++) {
        snprintf(name, sizeof name, "PORTWITNESS_PORT_%zu", i + 1);
        if (i >= held->count) {
            unsetenv(name);
            continue;
        }
        snprintf(value, sizeof value, "%u", (unsigned)held->ports[i]);
        if (setenv(name, value, 1) != 0)
            return false;
    }
    return true;
}

void arguments_with_ports_free(char **arguments) {
    for (char **one = arguments; one != NULL && *one != NULL; one++)
        free(*one);
    free(arguments);
}
