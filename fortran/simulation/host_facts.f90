! SPDX-License-Identifier: MIT
!> What the Python side is told about a run, as lines "key=value".
module fennix_host_facts
   use fennix_kinds, only : dp
   use fennix_error, only : to_text
   use fennix_affinity, only : affinity_count, affinity_mark
   use fennix_comm, only : comm_type, count_on_node
   use fennix_settings, only : job_dynamic, settings_type
   implicit none
   private
   public :: host_text

contains


!> Text for pyfennix.host.attach; in values a backslash is doubled and a line end is written \n there.
!> All ranks call this together.
function host_text(comm, settings) result(text)
   type(comm_type), intent(in) :: comm
   type(settings_type), intent(in) :: settings
   character(len=:), allocatable :: text

   text = line("model_accurate", settings%model_accurate) // line("place_accurate", settings%place_accurate)
   if (settings%two_level) then
      text = text // line("model_fast", settings%model_fast) // line("place_fast", settings%place_fast)
   end if
   text = text // line("device", settings%device) // line("precision", settings%precision) &
      & // line("threads", to_text(settings%threads)) // line("seed", to_text(settings%seed)) &
      & // line("save_velocity", flag(settings%save_velocity)) // line("save_force", flag(settings%save_force)) &
      & // line("total_charge", to_text(settings%total_charge))
   if (allocated(settings%key_text)) text = text // line("key_text", settings%key_text)
   text = text // line("node_rank", to_text(comm%node_rank)) // line("node_size", to_text(comm%node_size)) &
      & // line("cores", to_text(max(1, affinity_count()/count_on_node(comm, affinity_mark()))))
   if (settings%job /= job_dynamic .or. comm%rank > 0) return
   if (settings%h5md) text = text // line("h5_file", settings%name // ".h5")
   if (settings%harvest_force > 0.0_dp) text = text // line("holes_file", settings%name // ".holes.h5")
end function host_text


pure function line(key, value)
   character(len=*), intent(in) :: key
   character(len=*), intent(in) :: value
   character(len=:), allocatable :: line
   integer :: i

   line = key // "="
   do i = 1, len(value)
      select case (value(i:i))
      case (new_line("a"))
         line = line // "\n"
      case ("\")
         line = line // "\\"
      case default
         line = line // value(i:i)
      end select
   end do
   line = line // new_line("a")
end function line


pure function flag(value)
   logical, intent(in) :: value
   character(len=:), allocatable :: flag

   flag = trim(merge("1", "0", value))
end function flag

end module fennix_host_facts
