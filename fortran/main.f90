! SPDX-License-Identifier: MIT
!> fennix-dynamic: arguments -> settings -> system -> models -> run -> exit status.
program fennix_dynamic
   use, intrinsic :: iso_fortran_env, only : error_unit, output_unit
   use fennix_error, only : error_type
   use fennix_comm, only : close_comm, comm_type, new_world_comm
   use fennix_strings, only : string_type
   use fennix_arguments, only : arguments_type, command_words, parse_arguments
   use fennix_domain, only : domain_type, settle
   use fennix_help, only : help_text, version_text
   use fennix_keywords, only : keyword_table_text
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_interpret, only : read_settings
   use fennix_settings, only : job_help, job_keywords, job_version, settings_type
   use fennix_share_input, only : share_input
   use fennix_system, only : build_system, start_type
   use fennix_signals, only : install_signals
   use fennix_python_host, only : stop_host
   use fennix_driver, only : drive
   implicit none
   type(comm_type) :: comm
   type(domain_type) :: domain
   type(string_type), allocatable :: words(:)
   type(arguments_type) :: arguments
   type(settings_type) :: settings
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start
   type(error_type), allocatable :: error

   call new_world_comm(comm, error)
   call leave_on(error)
   call command_words(words)
   call parse_arguments(arguments, words, error)
   call leave_on(error)
   select case (arguments%job)
   case (job_help)
      if (comm%rank == 0) write(output_unit, "(a)") help_text()
   case (job_version)
      if (comm%rank == 0) write(output_unit, "(a)") version_text()
   case (job_keywords)
      if (comm%rank == 0) write(output_unit, "(a)") keyword_table_text()
   case default
      call install_signals()
      if (comm%rank == 0) then
         call read_settings(settings, arguments, error)
         if (.not. allocated(error)) call build_system(settings, cell, atoms, start, error)
      end if
      domain%comm = comm
      call settle(domain, error)
      if (.not. allocated(error)) then
         call share_input(comm, settings, cell, start)
         call drive(comm, settings, cell, atoms, start, error)
      end if
      call stop_host()
      call leave_on(error)
   end select
   call close_comm(comm)

contains


!> One sentence on standard error from rank 0, a non-zero exit on every rank
subroutine leave_on(failure)
   type(error_type), allocatable, intent(in) :: failure

   if (.not. allocated(failure)) return
   flush(output_unit)
   if (comm%rank == 0) write(error_unit, "(a)") "fennix-dynamic: " // failure%message
   call close_comm(comm)
   stop 1, quiet=.true.
end subroutine leave_on

end program fennix_dynamic
