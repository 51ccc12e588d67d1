#!/bin/bash
# Runs each test class in a virtual machine of its own, as surefire and Gradle do with forks: both.sh CLASSES
java -cp "$1" org.junit.runner.Runner shop.CartTest &
one=$!
java -cp "$1" org.junit.runner.Runner shop.CheckoutTest &
two=$!
wait "$one" || status=$?
wait "$two" || status=$?
exit "${status:-0}"
