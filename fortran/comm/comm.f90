! SPDX-License-Identifier: MIT
!> The ranks of a run; the only file that names MPI.
module fennix_comm
   use mpi_f08, only : MPI_Comm, MPI_COMM_NULL, MPI_COMM_WORLD, MPI_Comm_rank, MPI_Comm_size, MPI_Finalize, &
      & MPI_Finalized, MPI_Init_thread, MPI_Initialized, MPI_THREAD_SERIALIZED
   use fennix_error, only : error_type, fatal_error
   implicit none
   private
   public :: comm_type, new_serial_comm, new_world_comm, close_comm

   !> Passed down, never global
   type :: comm_type
      !> Zero-based index of this rank
      integer :: rank = 0
      !> Number of ranks
      integer :: size = 1
      !> MPI handle; MPI_COMM_NULL for a serial run inside Python, where MPI is never initialised
      type(MPI_Comm) :: handle = MPI_COMM_NULL
   end type comm_type

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
   self%handle = MPI_COMM_WORLD
   call MPI_Comm_rank(self%handle, self%rank)
   call MPI_Comm_size(self%handle, self%size)
   if (provided < MPI_THREAD_SERIALIZED) then
      call fatal_error(error, "this MPI library does not offer MPI_THREAD_SERIALIZED, which the models need")
   end if
end subroutine new_world_comm


!> Finalise MPI when this process initialised it
subroutine close_comm(self)
   type(comm_type), intent(inout) :: self
   logical :: initialised, finalised

   call MPI_Initialized(initialised)
   call MPI_Finalized(finalised)
   if (self%handle%MPI_VAL /= MPI_COMM_NULL%MPI_VAL .and. initialised .and. .not. finalised) call MPI_Finalize()
   self%handle = MPI_COMM_NULL
end subroutine close_comm

end module fennix_comm
