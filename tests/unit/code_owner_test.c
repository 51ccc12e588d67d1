/* Whose code a file of Ruby or PHP holds, by its path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shim/frames/folders.c"
#include "shim/frames/php_code.c"
#undef ARCHIVE
#undef DEBIAN
#define frameworks ruby_frameworks
#define of_package ruby_package
#include "shim/frames/ruby_code.c"

static void assert_owner(enum pw_frame_of found, enum pw_frame_of expected, const char *path) {
    if (found != expected)
        fail_msg("%s: %d, not %d", path, (int)found, (int)expected);
}

struct owner {
    const char *path;
    enum pw_frame_of of;
};

static void ruby_files(void **state) {
    static const struct owner files[] = {
        {"/home/me/shop/test/cart_test.rb", PW_FRAME_USER},
        {"/home/me/gems/shop/lib/shop.rb", PW_FRAME_USER},
        {"/home/me/gems/shop-cart/lib/shop.rb", PW_FRAME_USER},
        {"/home/me/ruby/3.1.0/app.rb", PW_FRAME_USER},
        {"-e", PW_FRAME_USER},
        {"(eval at /home/me/a.rb:3)", PW_FRAME_USER},
        {"<internal:kernel>", PW_FRAME_LIBRARY},
        {"<internal:/usr/lib/ruby/vendor_ruby/rubygems/core_ext/kernel_require.rb>",
         PW_FRAME_LIBRARY},
        {"/usr/lib/ruby/3.1.0/socket.rb", PW_FRAME_LIBRARY},
        {"/home/me/.rbenv/versions/3.3.1/lib/ruby/3.3.0/socket.rb", PW_FRAME_LIBRARY},
        {"/usr/share/ruby/socket.rb", PW_FRAME_LIBRARY},
        {"/usr/lib/ruby/vendor_ruby/rubygems.rb", PW_FRAME_LIBRARY},
        {"/usr/lib/ruby/vendor_ruby/bundler/cli/exec.rb", PW_FRAME_LIBRARY},
        {"/usr/lib/ruby/vendor_ruby/sinatra/base.rb", PW_FRAME_DEPENDENCY},
        {"/usr/lib/ruby/vendor_ruby/test/unit/testcase.rb", PW_FRAME_FRAMEWORK},
        {"/usr/lib/ruby/vendor_ruby/minitest.rb", PW_FRAME_FRAMEWORK},
        {"/var/lib/gems/3.1.0/gems/puma-6.4.2/lib/puma/binder.rb", PW_FRAME_DEPENDENCY},
        {"/home/me/shop/vendor/bundle/ruby/3.1.0/gems/rack-test-2.1.0/lib/a.rb",
         PW_FRAME_DEPENDENCY},
        {"/home/me/.bundle/bundler/gems/puma-0123456789ab/lib/puma.rb", PW_FRAME_DEPENDENCY},
        {"/usr/lib/ruby/gems/3.1.0/gems/minitest-5.15.0/lib/minitest/test.rb", PW_FRAME_FRAMEWORK},
        {"/usr/share/rubygems-integration/all/gems/rspec-core-3.12.0/lib/rspec/core/example.rb",
         PW_FRAME_FRAMEWORK},
        {"/usr/share/rubygems-integration/all/gems/rake-13.0.6/lib/rake/rake_test_loader.rb",
         PW_FRAME_FRAMEWORK},
        {"/usr/bin/rspec", PW_FRAME_FRAMEWORK},
        {"/home/me/rspec", PW_FRAME_USER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_owner(ruby_code_of(files[i].path), files[i].of, files[i].path);
}

static void php_files(void **state) {
    static const struct owner files[] = {
        {"/srv/shop/tests/CartTest.php", PW_FRAME_USER},
        {"Command line code", PW_FRAME_USER},
        {"/srv/shop/a.php(3) : eval()'d code", PW_FRAME_USER},
        {"/srv/shop/vendor/react/socket/src/TcpServer.php", PW_FRAME_DEPENDENCY},
        {"/srv/shop/vendor/phpunit/phpunit/src/Framework/TestCase.php", PW_FRAME_FRAMEWORK},
        {"/srv/shop/vendor/pestphp/pest/src/Pest.php", PW_FRAME_FRAMEWORK},
        {"/usr/share/php/PHPUnit/Framework/TestCase.php", PW_FRAME_FRAMEWORK},
        {"/usr/share/php/Symfony/Component/Process/Process.php", PW_FRAME_DEPENDENCY},
        {"phar:///usr/local/bin/phpunit-9.6.phar/phpunit/Framework/TestCase.php",
         PW_FRAME_FRAMEWORK},
        {"phar:///usr/local/bin/composer.phar/src/Composer/Composer.php", PW_FRAME_DEPENDENCY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_owner(php_code_of(files[i].path), files[i].of, files[i].path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ruby_files),
        cmocka_unit_test(php_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
