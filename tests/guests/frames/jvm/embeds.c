/* A C program with a virtual machine in it. It binds itself before, while and after there is one,
 * in threads that the machine knows and does not know, and has Java bind in between.
 *
 *     embeds CLASSPATH
 */
#include <arpa/inet.h>
#include <jni.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static JavaVM *vm;

static void bind_here(void) {
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        perror("bind");
    close(fd);
}

static void *detached(void *unused) {
    bind_here();
    return unused;
}

/* By way of Java: com.example.Places.byReflection. */
static void bind_in_java(JNIEnv *jni) {
    jclass places = (*jni)->FindClass(jni, "com/example/Places");
    jmethodID method =
        places != NULL ? (*jni)->GetStaticMethodID(jni, places, "byReflection", "()V") : NULL;
    if (method != NULL)
        (*jni)->CallStaticVoidMethod(jni, places, method);
    if ((*jni)->ExceptionCheck(jni))
        (*jni)->ExceptionDescribe(jni);
    bind_here();
}

static void *attached(void *unused) {
    JNIEnv *jni;
    JavaVMAttachArgs arguments = {JNI_VERSION_1_6, (char *)"attached from C", NULL};
    if ((*vm)->AttachCurrentThread(vm, (void **)&jni, &arguments) != JNI_OK)
        return unused;
    bind_in_java(jni);
    (*vm)->DetachCurrentThread(vm);
    bind_here();
    return unused;
}

static void in_thread(void *(*work)(void *)) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) == 0)
        pthread_join(thread, NULL);
}

int main(int count, char **arguments) {
    char path[4096];
    JavaVMOption option = {path, NULL};
    JavaVMInitArgs how = {JNI_VERSION_1_6, 1, &option, JNI_FALSE};
    JNIEnv *jni;
    snprintf(path, sizeof path, "-Djava.class.path=%s", count > 1 ? arguments[1] : ".");
    bind_here();
    in_thread(detached);
    if (JNI_CreateJavaVM(&vm, (void **)&jni, &how) != JNI_OK)
        return 1;
    bind_in_java(jni);
    in_thread(detached);
    in_thread(attached);
    printf("destroyed: %d\n", (int)(*vm)->DestroyJavaVM(vm));
    bind_here();
    in_thread(detached);
    return 0;
}
