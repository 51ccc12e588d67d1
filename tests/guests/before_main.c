/* Says what was done in its name before its main: memory that was allocated, and an error of the
 * loader's that is still to be asked for. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);

static int calls;

void *malloc(size_t size) {
    calls++;
    return __libc_malloc(size);
}

int main(void) {
    int before = calls;
    const char *problem = dlerror();
    printf("allocated %d times\n%s\n", before, problem != NULL ? problem : "no error");
    return 0;
}
