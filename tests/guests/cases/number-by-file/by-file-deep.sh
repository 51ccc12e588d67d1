# The same with the shells of "npm run" and make in between.
# shellcheck disable=SC1091 # it is beside this one
. ./busy.sh
sh -c 'sh -c "sh -c \"python3 tool.py pick >setup.json; true\"; true"; true'
take setup.json
sh -c 'sh -c "sh -c \"python3 tool.py file setup.json || exit 1; true\" || exit 1; true" || exit 1; true'
end $?
