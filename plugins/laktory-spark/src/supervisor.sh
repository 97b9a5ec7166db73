# Runs a server, whose command line are the arguments, until the other end of the standard input is gone, be it closed or be
# it that the program which holds it was killed; ends with the server.
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(cat <&3 >/dev/null; kill "$server"; sleep 10; kill -9 "$server") 2>/dev/null &
watch=$!
wait "$server"
status=$?
kill "$watch" 2>/dev/null
exit $status
