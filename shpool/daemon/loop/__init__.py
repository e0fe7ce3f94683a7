"""Descriptors, deadlines and bytes; nothing of shells, sessions or clients.

How objects of the daemon talk, here and above.  Calls go down: an owner calls what it has made.
What was made tells its owner something through a class of callbacks (OutboundUser, PtyUser,
ChannelUser...), and only when the loop has called it, never from inside a call that the owner
made: what comes up in such a call is told by Reactor.soon(), once the owner has returned to the
loop.  So nobody has to look after each call whether something is still there.
tests/daemon/upward.py watches that.

An error ends its owner and nobody else: the loop sees to that for what it calls, and each_alone()
for what is done with several, one after the other.
"""
