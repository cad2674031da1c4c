! SPDX-License-Identifier: MIT
!> The ranks of a run and how they talk; the only file that names MPI.
!>
!> With one rank every procedure here is a copy or nothing, and MPI need not even be initialised.
module fennix_comm
   use, intrinsic :: iso_fortran_env, only : int8
   use mpi_f08, only : MPI_Allgather, MPI_Allreduce, MPI_Alltoall, MPI_ANY_TAG, MPI_Bcast, MPI_BYTE, MPI_CHARACTER, &
      & MPI_Comm, MPI_COMM_NULL, MPI_COMM_TYPE_SHARED, MPI_COMM_WORLD, MPI_Comm_dup, MPI_Comm_free, MPI_Comm_rank, &
      & MPI_Comm_set_errhandler, MPI_Comm_size, MPI_Comm_split_type, MPI_DOUBLE_PRECISION, MPI_ERRORS_ARE_FATAL, &
      & MPI_Finalize, MPI_Finalized, MPI_Gather, MPI_Gatherv, MPI_Get_count, MPI_IN_PLACE, MPI_INFO_NULL, &
      & MPI_Init_thread, MPI_Initialized, MPI_INTEGER, MPI_INTEGER8, MPI_Isend, MPI_MAX, MPI_Probe, MPI_Query_thread, &
      & MPI_Recv, MPI_Request, MPI_Scatterv, MPI_Status, MPI_STATUS_IGNORE, MPI_STATUSES_IGNORE, MPI_SUM, &
      & MPI_THREAD_SERIALIZED, MPI_Waitall
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error
   implicit none
   private
   public :: comm_type, sends_type, new_serial_comm, new_world_comm, new_comm, close_comm
   public :: broadcast, broadcast_text, sum_all, max_all, gather, scatter, swap_counts, count_on_node
   public :: post_send, wait_sends, next_message, receive

   !> Passed down, never global
   type :: comm_type
      !> Zero-based index of this rank
      integer :: rank = 0
      !> Number of ranks
      integer :: size = 1
      !> The same among the ranks of this machine (node)
      integer :: node_rank = 0, node_size = 1
      !> MPI handles: ours, and that of this node; MPI_COMM_NULL for a serial run inside a host without MPI
      type(MPI_Comm) :: handle = MPI_COMM_NULL, node = MPI_COMM_NULL
      !> This process initialised MPI and will end it
      logical :: owner = .false.
   end type comm_type

   !> Sends under way; their buffers must stay as they are until wait_sends
   type :: sends_type
      private
      integer :: n = 0
      type(MPI_Request), allocatable :: list(:)
   end type sends_type

   character(len=*), parameter :: no_threads = "MPI was not initialised with MPI_THREAD_SERIALIZED or more, which " // &
      & "the models need"

   !> Send an array (1-D, contiguous) to a rank under a tag
   interface post_send
      module procedure :: post_send_real
      module procedure :: post_send_words
   end interface post_send

   !> Receive the message that next_message found into the first elements of an array
   interface receive
      module procedure :: receive_real
      module procedure :: receive_words
   end interface receive

   !> All ranks' arrays one after another on rank 0
   interface gather
      module procedure :: gather_real
      module procedure :: gather_int
   end interface gather

contains


!> One rank without MPI
pure function new_serial_comm() result(self)
   type(comm_type) :: self

   self%rank = 0
   self%size = 1
end function new_serial_comm


!> Initialise MPI and take all of its ranks.
!> Serialized, since the backward pass of a model may call the engine from another thread.
subroutine new_world_comm(self, error)
   type(comm_type), intent(out) :: self
   type(error_type), allocatable, intent(out) :: error
   integer :: provided

   call MPI_Init_thread(MPI_THREAD_SERIALIZED, provided)
   call take(self, MPI_COMM_WORLD)
   self%owner = .true.
   if (provided < MPI_THREAD_SERIALIZED) then
      call fatal_error(error, no_threads)
   end if
end subroutine new_world_comm


!> The ranks of a communicator that a host program initialised, by its Fortran handle
subroutine new_comm(self, handle, error)
   type(comm_type), intent(out) :: self
   integer, intent(in) :: handle
   type(error_type), allocatable, intent(out) :: error
   type(MPI_Comm) :: given
   logical :: initialised, finalised
   integer :: provided

   call MPI_Initialized(initialised)
   call MPI_Finalized(finalised)
   if (.not. initialised .or. finalised) then
      call fatal_error(error, "the communicator cannot be used: the MPI library of this program is not the one " // &
         & "that the engine is linked to, or was finalised")
      return
   end if
   call MPI_Query_thread(provided)
   if (provided < MPI_THREAD_SERIALIZED) then
      call fatal_error(error, no_threads)
      return
   end if
   given%MPI_VAL = handle
   call take(self, given)
end subroutine new_comm


!> Copies of a communicator, so that nobody else's messages are met
subroutine take(self, given)
   type(comm_type), intent(inout) :: self
   type(MPI_Comm), intent(in) :: given

   call MPI_Comm_dup(given, self%handle)
   call MPI_Comm_rank(self%handle, self%rank)
   call MPI_Comm_size(self%handle, self%size)
   call MPI_Comm_split_type(self%handle, MPI_COMM_TYPE_SHARED, self%rank, MPI_INFO_NULL, self%node)
   ! A host may have asked for return codes, which nobody looks at here
   call MPI_Comm_set_errhandler(self%handle, MPI_ERRORS_ARE_FATAL)
   call MPI_Comm_set_errhandler(self%node, MPI_ERRORS_ARE_FATAL)
   call MPI_Comm_rank(self%node, self%node_rank)
   call MPI_Comm_size(self%node, self%node_size)
end subroutine take


!> Give the communicators back, and finalise MPI when this process initialised it
subroutine close_comm(self)
   type(comm_type), intent(inout) :: self
   logical :: initialised, finalised

   call MPI_Initialized(initialised)
   call MPI_Finalized(finalised)
   if (self%handle%MPI_VAL /= MPI_COMM_NULL%MPI_VAL .and. initialised .and. .not. finalised) then
      call MPI_Comm_free(self%node)
      call MPI_Comm_free(self%handle)
      if (self%owner) call MPI_Finalize()
   end if
   self%handle = MPI_COMM_NULL
   self%owner = .false.
end subroutine close_comm


!> Bytes of rank 0 on all ranks
subroutine broadcast(self, bytes)
   type(comm_type), intent(in) :: self
   integer(int8), allocatable, intent(inout) :: bytes(:)
   integer :: n

   if (self%size == 1) return
   if (self%rank == 0) n = size(bytes)
   call MPI_Bcast(n, 1, MPI_INTEGER, 0, self%handle)
   if (self%rank > 0) then
      if (allocated(bytes)) deallocate(bytes)
      allocate(bytes(n))
   end if
   call MPI_Bcast(bytes, n, MPI_BYTE, 0, self%handle)
end subroutine broadcast


!> A text of a rank on all ranks
subroutine broadcast_text(self, text, from)
   type(comm_type), intent(in) :: self
   character(len=:), allocatable, intent(inout) :: text
   integer, intent(in) :: from
   integer :: n

   if (self%size == 1) return
   if (self%rank == from) n = len(text)
   call MPI_Bcast(n, 1, MPI_INTEGER, from, self%handle)
   if (self%rank /= from) then
      if (allocated(text)) deallocate(text)
      allocate(character(len=n) :: text)
   end if
   call MPI_Bcast(text, n, MPI_CHARACTER, from, self%handle)
end subroutine broadcast_text


!> Sums over all ranks, in place
subroutine sum_all(self, values)
   type(comm_type), intent(in) :: self
   real(dp), intent(inout) :: values(:)

   if (self%size > 1) call MPI_Allreduce(MPI_IN_PLACE, values, size(values), MPI_DOUBLE_PRECISION, MPI_SUM, self%handle)
end subroutine sum_all


!> Largest values over all ranks, in place
subroutine max_all(self, values)
   type(comm_type), intent(in) :: self
   real(dp), intent(inout) :: values(:)

   if (self%size > 1) call MPI_Allreduce(MPI_IN_PLACE, values, size(values), MPI_DOUBLE_PRECISION, MPI_MAX, self%handle)
end subroutine max_all


!> Arrays of all ranks on rank 0, one after another by rank; empty elsewhere
subroutine gather_real(self, mine, all)
   type(comm_type), intent(in) :: self
   real(dp), intent(in) :: mine(:)
   real(dp), allocatable, intent(out) :: all(:)
   integer, allocatable :: counts(:), starts(:)

   call gather_counts(self, size(mine), counts, starts)
   allocate(all(sum(counts)))
   if (self%size == 1) then
      all = mine
   else
      call MPI_Gatherv(mine, size(mine), MPI_DOUBLE_PRECISION, all, counts, starts, MPI_DOUBLE_PRECISION, 0, &
         & self%handle)
   end if
end subroutine gather_real


subroutine gather_int(self, mine, all)
   type(comm_type), intent(in) :: self
   integer(i4), intent(in) :: mine(:)
   integer(i4), allocatable, intent(out) :: all(:)
   integer, allocatable :: counts(:), starts(:)

   call gather_counts(self, size(mine), counts, starts)
   allocate(all(sum(counts)))
   if (self%size == 1) then
      all = mine
   else
      call MPI_Gatherv(mine, size(mine), MPI_INTEGER, all, counts, starts, MPI_INTEGER, 0, self%handle)
   end if
end subroutine gather_int


!> How many elements each rank has, and where they begin, on rank 0; zeros elsewhere
subroutine gather_counts(self, n, counts, starts)
   type(comm_type), intent(in) :: self
   integer, intent(in) :: n
   integer, allocatable, intent(out) :: counts(:), starts(:)
   integer :: rank

   allocate(counts(0:self%size - 1), starts(0:self%size - 1), source=0)
   if (self%size == 1) then
      counts(0) = n
      return
   end if
   call MPI_Gather(n, 1, MPI_INTEGER, counts, 1, MPI_INTEGER, 0, self%handle)
   do rank = 1, self%size - 1
      starts(rank) = starts(rank - 1) + counts(rank - 1)
   end do
end subroutine gather_counts


!> The reverse of gather: each rank's part of what rank 0 has
subroutine scatter(self, all, mine)
   type(comm_type), intent(in) :: self
   !> Significant on rank 0
   real(dp), intent(in) :: all(:)
   !> As many as this rank expects
   real(dp), intent(out) :: mine(:)
   integer, allocatable :: counts(:), starts(:)

   call gather_counts(self, size(mine), counts, starts)
   if (self%size == 1) then
      mine = all
   else
      call MPI_Scatterv(all, counts, starts, MPI_DOUBLE_PRECISION, mine, size(mine), MPI_DOUBLE_PRECISION, 0, &
         & self%handle)
   end if
end subroutine scatter


!> Each rank tells every rank a number
subroutine swap_counts(self, outgoing, incoming)
   type(comm_type), intent(in) :: self
   !> By rank, (0:size-1)
   integer, intent(in) :: outgoing(0:)
   integer, intent(out) :: incoming(0:)

   incoming = outgoing
   if (self%size > 1) call MPI_Alltoall(outgoing, 1, MPI_INTEGER, incoming, 1, MPI_INTEGER, self%handle)
end subroutine swap_counts


!> Ranks on this node that give the same value as this one
function count_on_node(self, value) result(n)
   type(comm_type), intent(in) :: self
   integer(i8), intent(in) :: value
   integer :: n
   integer(i8) :: values(self%node_size)

   values = value
   if (self%size > 1) call MPI_Allgather(value, 1, MPI_INTEGER8, values, 1, MPI_INTEGER8, self%node)
   n = count(values == value)
end function count_on_node


!> Room for one more send
subroutine reserve(sends)
   type(sends_type), intent(inout) :: sends
   type(MPI_Request), allocatable :: longer(:)

   if (.not. allocated(sends%list)) allocate(sends%list(32))
   if (sends%n == size(sends%list)) then
      allocate(longer(2*sends%n))
      longer(:sends%n) = sends%list
      call move_alloc(longer, sends%list)
   end if
   sends%n = sends%n + 1
end subroutine reserve


subroutine post_send_real(self, sends, values, n, to, tag)
   type(comm_type), intent(in) :: self
   type(sends_type), intent(inout) :: sends
   real(dp), intent(in), contiguous, asynchronous :: values(:)
   !> How many of them
   integer, intent(in) :: n
   integer, intent(in) :: to, tag

   call reserve(sends)
   call MPI_Isend(values, n, MPI_DOUBLE_PRECISION, to, tag, self%handle, sends%list(sends%n))
end subroutine post_send_real


subroutine post_send_words(self, sends, values, n, to, tag)
   type(comm_type), intent(in) :: self
   type(sends_type), intent(inout) :: sends
   integer(i4), intent(in), contiguous, asynchronous :: values(:)
   integer, intent(in) :: n
   integer, intent(in) :: to, tag

   call reserve(sends)
   call MPI_Isend(values, n, MPI_INTEGER, to, tag, self%handle, sends%list(sends%n))
end subroutine post_send_words


!> Wait until all sends are done
subroutine wait_sends(sends)
   type(sends_type), intent(inout) :: sends

   if (sends%n > 0) call MPI_Waitall(sends%n, sends%list, MPI_STATUSES_IGNORE)
   sends%n = 0
end subroutine wait_sends


!> Wait for the earliest message of a rank: its tag and its size in words of four bytes
subroutine next_message(self, from, tag, words)
   type(comm_type), intent(in) :: self
   integer, intent(in) :: from
   integer, intent(out) :: tag, words
   type(MPI_Status) :: status

   call MPI_Probe(from, MPI_ANY_TAG, self%handle, status)
   tag = status%MPI_TAG
   call MPI_Get_count(status, MPI_INTEGER, words)
end subroutine next_message


subroutine receive_real(self, values, n, from, tag)
   type(comm_type), intent(in) :: self
   real(dp), intent(inout), contiguous :: values(:)
   integer, intent(in) :: n
   integer, intent(in) :: from, tag

   call MPI_Recv(values, n, MPI_DOUBLE_PRECISION, from, tag, self%handle, MPI_STATUS_IGNORE)
end subroutine receive_real


subroutine receive_words(self, values, n, from, tag)
   type(comm_type), intent(in) :: self
   integer(i4), intent(inout), contiguous :: values(:)
   integer, intent(in) :: n
   integer, intent(in) :: from, tag

   call MPI_Recv(values, n, MPI_INTEGER, from, tag, self%handle, MPI_STATUS_IGNORE)
end subroutine receive_words

end module fennix_comm
