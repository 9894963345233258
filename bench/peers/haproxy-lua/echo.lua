-- SPDX-License-Identifier: ISC
-- A TCP service that returns each line as it comes.
core.register_service("echo", "tcp", function(applet)
	local line = applet:getline()

	while line ~= nil and #line > 0 do
		applet:send(line)
		line = applet:getline()
	end
end)
